"""What a run promises: on which data it was trained, and what it wants to see when it predicts."""

import hashlib
from collections.abc import Collection, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xarray as xr

from affectkit.datasets import with_folds
from affectkit.datasets.listing import make_index
from affectkit.errors import AffectkitError
from affectkit.files import write_text
from affectkit.recording import AFFECT
from affectkit.run import (
    CHECKPOINT,
    CONTRACT,
    ENSEMBLE,
    RECIPE,
    WEIGHTS,
    read_contract,
    write_contract,
)
from affectkit.training.recipe import Recipe, SplitSection, read_recipe, recipe_text

PACKAGES = ("affectkit", "torch", "timm", "lightning-fabric", "numpy", "xarray")
OFFICIAL = SplitSection()

Splits = dict[str, list[xr.Dataset]]


def split_recordings(recordings: Sequence[xr.Dataset], how: SplitSection = OFFICIAL) -> Splits:
    """Sort recordings into their splits and check that they can be trained on.

    Args:
        recordings: each with its own `split` in attrs.
        how: the recipe's `[splits]`; with folds, all but the test recordings are dealt by subject.

    Raises:
        AffectkitError: a split that training needs is missing or has no annotated faces, there are
            fewer subjects than folds, a subject is in two splits and not named in
            `splits.shared_subjects`, or the recordings were cut differently.
    """
    splits: Splits = {}
    for recording, name in zip(recordings, _split_names(recordings, how), strict=True):
        splits.setdefault(name, []).append(recording)
    for name in ("train", "validation"):
        if not any(map(_has_target, splits.get(name, []))):
            raise AffectkitError(
                f"no recordings with annotated faces in the split {name!r}; there are "
                + (", ".join(f"{len(v)} in {k!r}" for k, v in sorted(splits.items())) or "none")
                + ("" if how.folds else "; to hold out subjects, set splits.folds in the recipe")
            )
    _check_subjects(splits, how.shared_subjects)
    _check_crops(recordings)
    return splits


def _has_target(recording: xr.Dataset) -> bool:
    """Whether a frame has both a face to see and an annotation to learn."""
    seen = recording["crop_box"].notnull().all("edge")
    return bool(recording["annotation"].where(seen).notnull().any())


def _split_names(recordings: Sequence[xr.Dataset], how: SplitSection) -> list[str]:
    columns = ("recording", "subject", "split")
    index = make_index(
        {**{column: r.attrs[column] for column in columns}, "frames": r.sizes["frame"]}
        for r in recordings
    )
    if how.folds:
        index = with_folds(index, how.folds, how.seed, fold=how.fold)
    return list(index["split"])


def _check_subjects(splits: Splits, allowed: Collection[str]) -> None:
    homes: dict[str, list[str]] = {}
    for split, recordings in splits.items():
        for recording in recordings:
            subject = recording.attrs["subject"] or recording.attrs["recording"]
            homes.setdefault(subject, []).append(split)
    shared = [
        f"subject {subject!r} is in the splits {' and '.join(repr(s) for s in sorted(set(found)))}"
        for subject, found in sorted(homes.items())
        if len(set(found)) > 1 and subject not in allowed
    ]
    if shared:
        raise AffectkitError(
            f"{'; '.join(shared)}: scores would be of people the net has seen; split by subject "
            "(splits.folds), or name in splits.shared_subjects who may be"
        )


def _check_crops(recordings: Sequence[xr.Dataset]) -> None:
    first = recordings[0]
    for recording in recordings:
        if "face" not in recording:
            raise AffectkitError(f"recording {recording.attrs['recording']!r} has no 'face'")
        if recording.attrs["crop"] != first.attrs["crop"]:
            raise AffectkitError(
                f"recordings {first.attrs['recording']!r} and {recording.attrs['recording']!r} "
                "are cut by different crop contracts; prepare them again with one"
            )


def describe(recipe: Recipe, folder: Path, splits: Splits) -> dict[str, Any]:
    """The contract of a run, as run.json holds it."""
    everything = [recording for group in splits.values() for recording in group]
    return {
        "name": recipe.name,
        "affect": list(AFFECT),
        "crop": everything[0].attrs["crop"],
        "input_size": recipe.windows.input_size,
        "sequence_length": recipe.windows.length,
        "backbone": recipe.model.backbone,
        "temporal": recipe.model.temporal,
        "loss": recipe.training.loss,
        "predict": recipe.predict.model_dump(),
        "seed": recipe.seed,
        "datasets": sorted({recording.attrs["dataset"] for recording in everything}),
        "recordings": str(folder.resolve()),
        "fingerprint": fingerprint(everything),
        "splits": {
            name: sorted(recording.attrs["recording"] for recording in group)
            for name, group in sorted(splits.items())
        },
        "subjects": {
            name: len({r.attrs["subject"] or r.attrs["recording"] for r in group})
            for name, group in sorted(splits.items())
        },
        "versions": {package: version(package) for package in PACKAGES},
    }


def claim_run(recipe: Recipe, recordings: Path, run: Path, splits: Splits) -> None:
    """Write recipe and contract into a new run folder, or check that it belongs to both.

    A folder in which nothing was trained yet, because the net could not be built, is new.

    Raises:
        AffectkitError: it belongs to another recipe, other recordings or splits, a newer affectkit
            wrote it, or part of it is lost.
    """
    if (run / CONTRACT).is_file() and ENSEMBLE in read_contract(run):
        raise AffectkitError(f"{run} is the mean of other runs; train into another folder")
    contract = describe(recipe, recordings, splits)
    if not (run / CHECKPOINT).is_file() and not (run / WEIGHTS).is_file():
        write_text(run / RECIPE, recipe_text(recipe))
        write_contract(run, contract)
        return
    if not (run / CONTRACT).is_file():
        raise AffectkitError(
            f"{run} has weights but no {CONTRACT} that says what they are of; "
            "bring it back, or train into a new folder"
        )
    standing = read_contract(run)
    if not (run / RECIPE).is_file():
        raise AffectkitError(
            f"{run} has lost its {RECIPE}; bring it back, or train into a new folder"
        )
    if read_recipe(run / RECIPE) != recipe:
        raise AffectkitError(f"{run} was trained by another recipe; choose another folder")
    for key, what in {"fingerprint": "recordings", "splits": "splits"}.items():
        if standing.get(key) != contract[key]:
            raise AffectkitError(f"{run} was trained on other {what}; choose another folder")


def fingerprint(recordings: Sequence[xr.Dataset]) -> str:
    """A hash of names, frames, annotations and boxes: changes when the training data do."""
    digest = hashlib.sha256()
    for recording in sorted(recordings, key=lambda r: str(r.attrs["recording"])):
        digest.update(recording.attrs["recording"].encode())
        for name in ("frame", "annotation", "crop_box"):
            digest.update(recording[name].values.tobytes())
    return digest.hexdigest()[:16]


def check_crop(crop: dict[str, Any], recording: xr.Dataset) -> None:
    """Refuse a recording whose faces were cut by another contract than the run's.

    Raises:
        AffectkitError: naming what differs.
    """
    own = recording.attrs["crop"]
    differing = sorted(key for key in crop.keys() | own.keys() if crop.get(key) != own.get(key))
    if differing:
        wanted = ", ".join(f"{key}={crop.get(key)!r}" for key in differing)
        got = ", ".join(f"{key}={own.get(key)!r}" for key in differing)
        raise AffectkitError(
            f"recording {recording.attrs['recording']!r} was cut with {got}, the run was trained "
            f"with {wanted}; prepare it again by the run's crop contract"
        )
