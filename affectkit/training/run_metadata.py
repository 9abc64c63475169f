"""The recordings of a run, sorted into splits, and the metadata that a run stores of them."""

import hashlib
from collections.abc import Collection, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import xarray as xr

from affectkit.datasets import with_folds
from affectkit.datasets.index import make_index
from affectkit.errors import AffectkitError
from affectkit.files import write_text
from affectkit.recording import AFFECT, list_recordings, open_recording
from affectkit.run import (
    CHECKPOINT,
    ENSEMBLE,
    METADATA,
    RECIPE,
    WEIGHTS,
    read_metadata,
    write_metadata,
)
from affectkit.training.recipe import Recipe, read_recipe, recipe_text
from affectkit.training.recipe_sections import SplitSection

PACKAGES = ("affectkit", "torch", "timm", "lightning-fabric", "numpy", "xarray")
DATASET_SPLITS = SplitSection()

Splits = dict[str, list[xr.Dataset]]


def read_splits(recipe: Recipe, recordings: Path) -> Splits:
    """Open a folder of recordings, and sort them into splits; faces stay on disk."""
    opened = [open_recording(path) for path in list_recordings(recordings)]
    return split_recordings(opened, recipe.splits)


def split_recordings(
    recordings: Sequence[xr.Dataset], settings: SplitSection = DATASET_SPLITS
) -> Splits:
    """Sort recordings into splits, and check that they are suitable for training.

    Args:
        recordings: each with its `split` in the attributes.
        settings: the recipe's `[splits]`; with folds, all recordings except those of the test
            split are assigned to folds by subject.

    Raises:
        AffectkitError: "train" or "validation" is missing or has no annotated faces, there are
            fewer subjects than folds, a subject is in two splits and is not named in
            `splits.shared_subjects`, or the recordings have different crop settings.
    """
    splits: Splits = {}
    for recording, name in zip(recordings, _split_names(recordings, settings), strict=True):
        splits.setdefault(name, []).append(recording)
    for name in ("train", "validation"):
        if not any(map(_has_annotated_face, splits.get(name, []))):
            raise AffectkitError(
                f"no recordings with annotated faces in the split {name!r}, which training needs; "
                "recordings in all: "
                + (", ".join(f"{len(v)} in {k!r}" for k, v in sorted(splits.items())) or "none")
                + ("" if settings.folds else "; to hold out subjects, set splits.folds")
            )
    _check_subjects(splits, settings.shared_subjects)
    _check_same_crop_settings(recordings)
    return splits


def _has_annotated_face(recording: xr.Dataset) -> bool:
    has_face = recording["crop_box"].notnull().all("edge")
    return bool(recording["annotation"].where(has_face).notnull().any())


def _split_names(recordings: Sequence[xr.Dataset], settings: SplitSection) -> list[str]:
    columns = ("recording", "subject", "split")
    index = make_index(
        {**{column: r.attrs[column] for column in columns}, "frames": r.sizes["frame"]}
        for r in recordings
    )
    if settings.folds:
        index = with_folds(index, settings.folds, settings.seed, fold=settings.fold)
    return list(index["split"])


def _check_subjects(splits: Splits, allowed: Collection[str]) -> None:
    splits_of: dict[str, set[str]] = {}
    for split, recordings in splits.items():
        for recording in recordings:
            splits_of.setdefault(_subject(recording), set()).add(split)
    shared = [
        f"subject {subject!r} is in the splits {' and '.join(map(repr, sorted(found)))}"
        for subject, found in sorted(splits_of.items())
        if len(found) > 1 and subject not in allowed
    ]
    if shared:
        raise AffectkitError(
            f"{'; '.join(shared)}: validation and test scores would include subjects seen in "
            "training; split by subject (splits.folds), or list allowed subjects in "
            "splits.shared_subjects"
        )


def _check_same_crop_settings(recordings: Sequence[xr.Dataset]) -> None:
    first = recordings[0]
    for recording in recordings:
        if "face" not in recording:
            raise AffectkitError(
                f"recording {recording.attrs['recording']!r} has no 'face', the pixels of the "
                "crops; prepare it again"
            )
        if recording.attrs["crop"] != first.attrs["crop"]:
            raise AffectkitError(
                f"recordings {first.attrs['recording']!r} and {recording.attrs['recording']!r} "
                "have different crop settings; prepare them again with the same settings"
            )


def is_untrained(run: Path) -> bool:
    """Whether a run has neither checkpoint nor weights: no step was trained there."""
    return not (run / CHECKPOINT).is_file() and not (run / WEIGHTS).is_file()


def create_run(recipe: Recipe, recordings: Path, run: Path, splits: Splits) -> None:
    """Write recipe and metadata into a new run folder."""
    write_text(run / RECIPE, recipe_text(recipe))
    write_metadata(run, build_metadata(recipe, recordings, splits))


def check_run(recipe: Recipe, recordings: Path, run: Path, splits: Splits) -> None:
    """Check that training may write to a run folder, which may be missing.

    Raises:
        AffectkitError: the run was trained with another recipe, other recordings or other splits,
            a newer affectkit wrote it, one of its files is missing, or its model is to start from
            its own weights.
    """
    _check_start_weights(recipe, run)
    if (run / METADATA).is_file() and ENSEMBLE in read_metadata(run):
        raise AffectkitError(f"{run} is an ensemble of other runs; train into another folder")
    if is_untrained(run):
        return
    if not (run / METADATA).is_file():
        raise AffectkitError(
            f"{run} has weights but no {METADATA}, which says what was trained; "
            "restore this file, or train into a new folder"
        )
    previous = read_metadata(run)
    if not (run / RECIPE).is_file():
        raise AffectkitError(
            f"{run} was trained but has no {RECIPE}; restore this file, or train into a new folder"
        )
    if read_recipe(run / RECIPE) != recipe:
        raise AffectkitError(
            f"{run} was trained with another recipe ({run / RECIPE}); choose another folder"
        )
    metadata = build_metadata(recipe, recordings, splits)
    for key, name in {"fingerprint": "recordings", "splits": "splits"}.items():
        if previous.get(key) != metadata[key]:
            raise AffectkitError(f"{run} was trained on other {name}; choose another folder")


def _check_start_weights(recipe: Recipe, run: Path) -> None:
    start = recipe.model.weights
    if start and Path(start).resolve().is_relative_to(run.resolve()):
        raise AffectkitError(
            f"model.weights = {start!r} is in {run}, the folder that training writes to; train "
            "into another folder"
        )


def build_metadata(recipe: Recipe, folder: Path, splits: Splits) -> dict[str, Any]:
    """The metadata of a run, the content of run.json."""
    recordings = [recording for group in splits.values() for recording in group]
    return {
        "name": recipe.name,
        "affect": list(AFFECT),
        "crop": recordings[0].attrs["crop"],
        "input_size": recipe.windows.input_size,
        "sequence_length": recipe.windows.length,
        "backbone": recipe.model.backbone,
        "temporal": recipe.model.temporal,
        "loss": recipe.training.loss,
        "predict": recipe.predict.model_dump(),
        "seed": recipe.seed,
        "datasets": sorted({recording.attrs["dataset"] for recording in recordings}),
        "recordings": str(folder.resolve()),
        "fingerprint": fingerprint(recordings),
        "splits": {
            name: sorted(recording.attrs["recording"] for recording in group)
            for name, group in sorted(splits.items())
        },
        "subjects": {
            name: len(set(map(_subject, group))) for name, group in sorted(splits.items())
        },
        "versions": {package: version(package) for package in PACKAGES},
    }


def _subject(recording: xr.Dataset) -> str:
    """The subject of a recording; if unknown, each recording counts as a subject of its own."""
    return str(recording.attrs["subject"] or recording.attrs["recording"])


def fingerprint(recordings: Sequence[xr.Dataset]) -> str:
    """A hash of names, frames, annotations and crop boxes, to detect changed recordings."""
    digest = hashlib.sha256()
    for recording in sorted(recordings, key=lambda r: str(r.attrs["recording"])):
        digest.update(recording.attrs["recording"].encode())
        for name in ("frame", "annotation", "crop_box"):
            digest.update(recording[name].values.tobytes())
    return digest.hexdigest()[:16]


def check_crop_settings(crop: dict[str, Any], recording: xr.Dataset) -> None:
    """Check that a recording has the crop settings of a run.

    Raises:
        AffectkitError: names the settings that differ.
    """
    own = recording.attrs["crop"]
    differing = sorted(key for key in crop.keys() | own.keys() if crop.get(key) != own.get(key))
    if differing:
        expected = ", ".join(f"{key}={crop.get(key)!r}" for key in differing)
        got = ", ".join(f"{key}={own.get(key)!r}" for key in differing)
        raise AffectkitError(
            f"recording {recording.attrs['recording']!r} has crop settings {got}, the run was "
            f"trained with {expected}; prepare it again with the run's crop settings "
            "(--like RUN on the command line, crop=ak.crop_of(run) in Python)"
        )
