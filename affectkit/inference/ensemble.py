"""Ensembles: the mean of the predictions of several runs, stored as a run of its own."""

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.files import StrPath, lock
from affectkit.run import ENSEMBLE, METADATA, read_metadata, write_metadata
from affectkit.training.recipe_sections import PredictSection

COMBINED = ("backbone", "temporal", "loss", "input_size", "sequence_length", "seed", "fingerprint")
USED_IN_TRAINING = ("train", "validation")  # in this order of precedence


def make_ensemble(out: StrPath, runs: Sequence[StrPath]) -> None:
    """Write the metadata of an ensemble; it can be predicted and evaluated like any run.

    A training recording of any run is a training recording of the ensemble, and a validation
    recording of any run one of its validation recordings. Runs of different folds have few or no
    validation recordings in common. Recordings are identified by name.

    Args:
        out: output folder of the ensemble.
        runs: two or more runs with equal crop settings. They are not copied: do not move them.

    Raises:
        AffectkitError: there are fewer than two runs, one of them is an ensemble that contains
            `out`, their crop settings differ, a test recording of one was used to train or validate
            another, or `out` is another run.
    """
    out, paths = Path(out), [Path(run) for run in runs]
    members = [str(path.resolve()) for path in paths]
    if len(members) < 2 or len(set(members)) < len(members):
        raise AffectkitError(
            f"an ensemble needs two or more different runs, got {len(members)}: "
            f"{', '.join(members)}"
        )
    metadata = [read_metadata(path) for path in paths]
    if (out / METADATA).is_file() and read_metadata(out).get(ENSEMBLE) != members:
        raise AffectkitError(f"{out} is another run; choose a new folder for the ensemble")
    for path in paths:
        check_members(path, within=(out.resolve(),))
    for path, each in zip(paths[1:], metadata[1:], strict=True):
        if each["crop"] != metadata[0]["crop"]:
            raise AffectkitError(
                f"{paths[0]} and {path} have different crop settings ({metadata[0]['crop']} and "
                f"{each['crop']}), so no recording can be predicted by both; use runs with the "
                "same crop settings"
            )
    splits = _combine_splits(paths, metadata)
    with lock(out, "ensemble"):
        if not (out / METADATA).is_file():  # a second call keeps the settings chosen by `tune`
            write_metadata(out, _build_metadata(out.name, members, metadata, splits))


def check_members(run: StrPath, within: tuple[Path, ...] = ()) -> None:
    """Check the members of an ensemble, and the members of those that are ensembles.

    Args:
        run: any run.
        within: the ensembles that contain it.

    Raises:
        AffectkitError: a member is missing or damaged, or an ensemble contains itself.
    """
    run = Path(run).resolve()
    if run in within:
        chain = " contains ".join(map(str, (*within[within.index(run) :], run)))
        raise AffectkitError(
            f"an ensemble cannot contain itself ({chain}); make it from other runs"
        )
    try:
        members = read_metadata(run).get(ENSEMBLE, [])
    except AffectkitError as error:
        if not within:
            raise
        raise AffectkitError(f"a member of the ensemble {within[-1]} is missing: {error}") from None
    for member in members:
        check_members(member, (*within, run))


def _combine_splits(
    runs: Sequence[Path], metadata: Sequence[Mapping[str, Any]]
) -> dict[str, list[str]]:
    used: dict[str, tuple[Path, str]] = {}  # by recording: a run that used it, and its split there
    for split in USED_IN_TRAINING:
        for run, each in zip(runs, metadata, strict=True):
            for name in each["splits"].get(split, []):
                used.setdefault(name, (run, split))
    splits: dict[str, set[str]] = {}
    for name, (_, split) in used.items():
        splits.setdefault(split, set()).add(name)
    for run, each in zip(runs, metadata, strict=True):
        for split in each["splits"].keys() - set(USED_IN_TRAINING):
            _check_held_out(run, split, each["splits"][split], used)
            splits.setdefault(split, set()).update(each["splits"][split])
    return {split: sorted(names) for split, names in sorted(splits.items())}


def _check_held_out(
    run: Path, split: str, names: Sequence[str], used: Mapping[str, tuple[Path, str]]
) -> None:
    for name in names:
        if name in used:
            other, other_split = used[name]
            raise AffectkitError(
                f"recording {name!r} is in the split {split!r} of {run}, but in {other_split!r} of "
                f"{other}: it is not held out for their ensemble; use runs that were trained on "
                "the same splits"
            )


def _build_metadata(
    name: str,
    members: Sequence[str],
    metadata: Sequence[Mapping[str, Any]],
    splits: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    first = metadata[0]
    return {
        "name": name,
        ENSEMBLE: members,
        "affect": first["affect"],
        "crop": first["crop"],
        **{key: _combine_values([each.get(key) for each in metadata]) for key in COMBINED},
        "predict": PredictSection().model_dump(),
        "datasets": sorted({dataset for each in metadata for dataset in each["datasets"]}),
        "recordings": first["recordings"],
        "splits": splits,
        "subjects": _count_subjects(metadata, splits),
        "versions": first.get("versions", {}) | {"affectkit": version("affectkit")},
    }


def _combine_values(values: Sequence[Any]) -> Any:  # noqa: ANN401
    """The value if all are equal, otherwise all different values in one text."""
    distinct = list(dict.fromkeys(map(str, values)))
    return values[0] if len(distinct) == 1 else " + ".join(distinct)


def _count_subjects(
    metadata: Sequence[Mapping[str, Any]], splits: Mapping[str, Sequence[str]]
) -> dict[str, int]:
    """Number of subjects of each split; known only for splits that equal those of a member."""
    return {
        split: each["subjects"][split]
        for each in metadata
        for split, names in splits.items()
        if each["splits"].get(split) == names and split in each.get("subjects", {})
    }


def mean_prediction(predictions: Sequence[xr.Dataset]) -> xr.Dataset:
    """Mean of predictions of the same frames, with equal weights.

    If all have `std`, the result has the `std` of the mixture: its variance is the mean of the
    variances plus the variance of the means (law of total variance).
    """
    names = ["prediction"]
    if all("std" in each for each in predictions):
        names.append("std")
    stacked = xr.concat([each[names] for each in predictions], "run", join="exact")
    stacked = stacked.astype(np.float64)
    mean = stacked["prediction"].mean("run", skipna=False)
    result = mean.astype(np.float32).to_dataset()
    if "std" in stacked:
        variance = (stacked["std"] ** 2).mean("run", skipna=False)
        variance = variance + stacked["prediction"].var("run", skipna=False)
        result["std"] = np.sqrt(variance).astype(np.float32)
    return result
