"""Reports on a dataset on disk, before recordings are prepared: its content and its problems."""

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from affectkit import datasets
from affectkit.checking.across_recordings import (
    near_duplicates,
    shared_subjects,
    unmatched_annotations,
    unmatched_videos,
)
from affectkit.checking.frames import DecodedVideo, VideoInput, decode
from affectkit.checking.per_recording import (
    CheckedRecording,
    align,
    findings,
    notes,
    recording_row,
)
from affectkit.checking.report import Finding, Report, summary, to_json
from affectkit.errors import AffectkitError
from affectkit.files import StrPath
from affectkit.parallel import Progress, map_tasks, no_progress

__all__ = ["Finding", "Report", "check", "summary", "to_json"]


def check(
    dataset: str,
    root: StrPath,
    *,
    labels: datasets.LabelFormat | None = None,
    workers: int = 1,
    scheduler: str = "",
    progress: Progress = no_progress,
) -> Report:
    """Decode every video, read every annotation, and report all inconsistencies.

    Nothing is written. A recording that cannot be read becomes a finding; the check continues.

    Args:
        dataset: one of `affectkit.DATASETS`.
        root: the folder of the dataset, in its published layout.
        labels: what the tables of the dataset `table` do not say, as for `prepare`.
        workers: number of local worker processes.
        scheduler: address of an existing Dask cluster to use instead; its workers need access to
            `root` under the same path.
        progress: called with "annotations" or "videos", the number read, and the number of all.

    Returns:
        The report; `report.clean` is True if there are no findings.

    Raises:
        AffectkitError: the dataset is unknown, `root` has another layout, or has no recordings.
    """
    loader, root = datasets.find_loader(dataset, labels), Path(root).absolute()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        index = loader.index(root)
        if index.empty:
            raise AffectkitError(
                f"{root} has no recordings of {dataset!r}; for the layout, see data/README.md"
            )
        recordings = _read_annotations(loader, root, index, progress)
    inputs = [_video_input(root, each) if each.row["video"] else None for each in recordings]
    videos = _decode_videos(inputs, workers, scheduler, progress)
    recordings = [
        align(replace(recording, video=videos[source]) if source else recording)
        for recording, source in zip(recordings, inputs, strict=True)
    ]
    video_findings, video_notes = unmatched_videos(root, index)
    problems = [
        *(finding for each in recordings for finding in findings(each)),
        *unmatched_annotations(recordings),
        *video_findings,
        *shared_subjects(index),
        *near_duplicates(recordings),
    ]
    remarks = [
        *(note for each in recordings for note in notes(each)),
        *video_notes,
        *(Finding("warning while reading", "", "", str(each.message)) for each in caught),
    ]
    table = pd.DataFrame(map(recording_row, recordings))
    return Report(dataset, root, table, _relative(root, problems), _relative(root, remarks))


def _read_annotations(
    loader: datasets.Loader, root: Path, index: pd.DataFrame, progress: Progress
) -> list[CheckedRecording]:
    recordings = []
    for _, row in index.iterrows():
        try:
            annotation = loader.annotations(root, row["recording"])
            recordings.append(CheckedRecording(row, annotation))
        except (AffectkitError, OSError) as error:
            recordings.append(CheckedRecording(row, read_error=str(error)))
        progress("annotations", len(recordings), len(index))
    return recordings


def _decode_videos(
    inputs: Sequence[VideoInput | None], workers: int, scheduler: str, progress: Progress
) -> dict[VideoInput, DecodedVideo]:
    """Decode each distinct video once, even if it belongs to several recordings."""
    distinct = list(dict.fromkeys(each for each in inputs if each))
    videos: dict[VideoInput, DecodedVideo] = {}
    for source, video in map_tasks(
        decode,
        distinct,
        workers=workers,
        scheduler=scheduler,
        lost=lambda source, reason: DecodedVideo(error=f"{source.path}: {reason}"),
    ):
        videos[source] = video
        progress("videos", len(videos), len(distinct))
    return videos


def _video_input(root: Path, recording: CheckedRecording) -> VideoInput:
    annotation, path = recording.annotation, root / str(recording.row["video"])
    if annotation is None or "still" not in annotation:
        return VideoInput(path)
    return VideoInput(path, tuple(map(str, annotation["still"].values)))


def _relative(root: Path, found: Iterable[Finding]) -> list[Finding]:
    """The findings with paths relative to `root`."""
    return [Finding(*(part.replace(f"{root}/", "") for part in finding)) for finding in found]
