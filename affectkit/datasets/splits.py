"""Folds by subject, for datasets without an official split and for cross-validation."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from affectkit.errors import AffectkitError

GRAINS = 10_000  # that all frames are counted in: balance needs no more


def group_folds(index: pd.DataFrame, k: int, seed: int) -> pd.DataFrame:
    """Deal subjects into folds that hold about the same number of frames.

    Args:
        index: a row a recording, with `recording`, `subject` and `frames`, as the datasets'
            indexes have them. A recording without subject stands for its own; one whose frames
            are not known counts as one of mean length.
        k: number of folds, from 2 to the number of subjects.
        seed: another seed deals anew; the order of the rows does not matter.

    Returns:
        `index` with the column `fold`, 0 to k - 1; all recordings of a subject share one. No fold
        is empty. Dealt by scikit-learn's `StratifiedGroupKFold`: each subject in turn, drawn by
        chance, goes to the fold with the fewest frames.

    Raises:
        AffectkitError: there are fewer subjects than folds, or k is below 2.
    """
    subject = subjects(index)
    names = sorted(set(subject))
    if not 2 <= k <= len(names):
        raise AffectkitError(
            f"cannot deal {len(names)} subjects ({', '.join(names[:5])}"
            f"{', ...' if len(names) > 5 else ''}) into {k} folds; "
            "folds should be from 2 to the number of subjects"
        )
    frames = _known_frames(index).groupby(subject).sum()
    fold = dict(zip(frames.index, _deal(frames.to_numpy(float), k, seed), strict=True))
    return index.assign(fold=subject.map(fold).astype(int))


def with_folds(index: pd.DataFrame, k: int, seed: int, *, fold: int) -> pd.DataFrame:
    """Decide `split` by folds: one is `validation`, the others `train`; `test` stays as it is.

    An official split into train and validation is dealt anew, with the recordings that have none.

    Args:
        index: a row a recording, with `recording`, `subject`, `split` and `frames`.
        k: number of folds.
        seed: as for `group_folds`.
        fold: the one that validates, from 0 to k - 1.

    Raises:
        AffectkitError: as for `group_folds`, or there is no such fold.
    """
    if not 0 <= fold < k:
        raise AffectkitError(f"there is no fold {fold} of {k}: folds count from 0 to {k - 1}")
    dealt = index["split"] != "test"
    split = index["split"].copy()
    is_held_out = group_folds(index[dealt], k, seed)["fold"] == fold
    split[dealt] = np.where(is_held_out, "validation", "train")
    return index.assign(split=split)


def subjects(index: pd.DataFrame) -> pd.Series:
    """Who is seen in each recording: `subject`, or the recording where nobody is named."""
    return index["subject"].where(index["subject"] != "", index["recording"])


def _known_frames(index: pd.DataFrame) -> pd.Series:
    frames = index["frames"].where(index["frames"] > 0).astype(float)
    return frames.fillna(frames.mean()).fillna(1.0)


def _deal(frames: NDArray[np.float64], k: int, seed: int) -> NDArray[np.int64]:
    """The fold of each subject (subject); the library balances rows, so each gets some."""
    from sklearn.model_selection import StratifiedGroupKFold  # slow to import, seldom needed

    rows = np.ceil(frames / frames.sum() * GRAINS).astype(int)
    owner = np.repeat(np.arange(len(frames)), rows)
    fold = np.empty(len(frames), np.int64)
    dealer = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
    for number, (_, held_out) in enumerate(dealer.split(owner, np.zeros_like(owner), owner)):
        fold[owner[held_out]] = number
    return fold
