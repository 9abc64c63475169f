"""Folds by subject, for datasets without an official split and for cross-validation."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from affectkit.errors import AffectkitError

PARTS = 10_000  # all frames are counted in this many parts, which is enough for balance


def group_folds(index: pd.DataFrame, k: int, seed: int) -> pd.DataFrame:
    """Divide subjects into folds with about the same number of frames.

    Args:
        index: one row per recording, with `recording`, `subject` and `frames`, as the loaders
            return it. A recording without subject counts as a subject of its own; one with an
            unknown number of frames counts as one of mean length.
        k: number of folds, from 2 to the number of subjects.
        seed: another seed gives other folds; the order of the rows does not matter.

    Returns:
        `index` with the column `fold`, 0 to k - 1; all recordings of a subject are in one fold, and
        no fold is empty. Computed by scikit-learn's `StratifiedGroupKFold`: in random order, each
        subject is added to the fold with the fewest frames.

    Raises:
        AffectkitError: there are fewer subjects than folds, or k is below 2.
    """
    subject = subjects(index)
    names = sorted(set(subject))
    if not 2 <= k <= len(names):
        raise AffectkitError(
            f"cannot divide {len(names)} subjects ({', '.join(names[:5])}"
            f"{', ...' if len(names) > 5 else ''}) into {k} folds; "
            "the number of folds must be from 2 to the number of subjects"
        )
    frames = _known_frames(index).groupby(subject).sum()
    fold = dict(zip(frames.index, _assign_folds(frames.to_numpy(float), k, seed), strict=True))
    return index.assign(fold=subject.map(fold).astype(int))


def with_folds(index: pd.DataFrame, k: int, seed: int, *, fold: int) -> pd.DataFrame:
    """Set `split` by folds: one is `validation`, the others are `train`; `test` does not change.

    This replaces an official split into train and validation, and includes recordings without one.

    Args:
        index: one row per recording, with `recording`, `subject`, `split` and `frames`.
        k: number of folds.
        seed: as for `group_folds`.
        fold: the validation fold, from 0 to k - 1.

    Raises:
        AffectkitError: as for `group_folds`, or there is no such fold.
    """
    if not 0 <= fold < k:
        raise AffectkitError(f"expected a fold from 0 to {k - 1} for {k} folds, got {fold}")
    not_test = index["split"] != "test"
    split = index["split"].copy()
    is_held_out = group_folds(index[not_test], k, seed)["fold"] == fold
    split[not_test] = np.where(is_held_out, "validation", "train")
    return index.assign(split=split)


def subjects(index: pd.DataFrame) -> pd.Series:
    """The subject of each recording; the name of the recording if there is none."""
    return index["subject"].where(index["subject"] != "", index["recording"])


def _known_frames(index: pd.DataFrame) -> pd.Series:
    frames = index["frames"].where(index["frames"] > 0).astype(float)
    return frames.fillna(frames.mean()).fillna(1.0)


def _assign_folds(frames: NDArray[np.float64], k: int, seed: int) -> NDArray[np.int64]:
    """The fold of each subject (subject). scikit-learn balances rows: frames become rows."""
    from sklearn.model_selection import StratifiedGroupKFold  # slow to import, rarely needed

    rows = np.ceil(frames / frames.sum() * PARTS).astype(int)
    row_subject = np.repeat(np.arange(len(frames)), rows)
    fold = np.empty(len(frames), np.int64)
    splitter = StratifiedGroupKFold(k, shuffle=True, random_state=seed)
    for number, (_, held_out) in enumerate(
        splitter.split(row_subject, np.zeros_like(row_subject), row_subject)
    ):
        fold[row_subject[held_out]] = number
    return fold
