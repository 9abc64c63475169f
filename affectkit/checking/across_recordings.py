"""Checks across all recordings: unmatched files, shared subjects, clips that occur twice."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from affectkit.checking.hashing import SIMILAR, hash_distances
from affectkit.checking.per_recording import CheckedRecording
from affectkit.checking.report import Finding
from affectkit.video import is_video_name

WITHOUT_VIDEO = "annotation without video"
WITHOUT_ANNOTATION = "video without annotation"
SHOWN = 3  # files in a note about many


def unmatched_annotations(recordings: Sequence[CheckedRecording]) -> list[Finding]:
    """Recordings without video; one finding if no recording has a video."""
    unmatched = [recording for recording in recordings if not recording.row["video"]]
    text = "expected a video or folder of pictures with this name, got none; see data/README.md"
    if len(unmatched) > 1 and len(unmatched) == len(recordings):
        return [Finding(WITHOUT_VIDEO, "", "", f"all {len(recordings)} recordings: {text}")]
    return [
        Finding(WITHOUT_VIDEO, str(recording.row["recording"]), recording.file, text)
        for recording in unmatched
    ]


def unmatched_videos(root: Path, index: pd.DataFrame) -> tuple[list[Finding], list[Finding]]:
    """Videos below `root` that belong to no recording, as findings and notes.

    If the dataset has splits but no annotated test split, videos without annotation are expected,
    since many authors keep the test labels: they become one note. Otherwise each is a finding.
    If recordings are folders of pictures, other videos are ignored: they are their sources.
    """
    matched = {os.path.realpath(root / str(video)) for video in index["video"] if video}
    videos, unreadable = _find_all_videos(root)
    if any(map(os.path.isdir, matched)):
        return unreadable, []
    unmatched = [path for path in videos if os.path.realpath(path) not in matched]
    originals = set(map(_name_and_size, matched))
    copies = [path for path in unmatched if _name_and_size(path) in originals]
    unmatched = [path for path in unmatched if path not in copies]
    notes = [Finding("second copy of a video", "", "", _list(copies))] * bool(copies)
    splits = set(index["split"]) - {""}
    if unmatched and splits and "test" not in splits:
        text = f"{_list(unmatched)}; test videos whose labels are not published?"
        return unreadable, [*notes, Finding(WITHOUT_ANNOTATION, "", "", text)]
    text = "expected an annotation of this video, got none; add it, or move the video elsewhere"
    missing = [Finding(WITHOUT_ANNOTATION, "", str(path), text) for path in unmatched]
    return unreadable + missing, notes


def _name_and_size(path: str | Path) -> tuple[str, int]:
    return os.path.basename(path), os.path.getsize(path) if os.path.isfile(path) else 0


def _list(paths: Sequence[Path]) -> str:
    names = ", ".join(map(str, paths[:SHOWN])) + (", ..." if len(paths) > SHOWN else "")
    return f"{len(paths)}: {names}"


def _find_all_videos(root: Path) -> tuple[list[Path], list[Finding]]:
    """All videos below `root` and findings about unreadable folders; follows links, not loops."""
    found, visited = [], set()
    errors: list[OSError] = []
    for folder, below, names in os.walk(root, onerror=errors.append, followlinks=True):
        if (real := os.path.realpath(folder)) in visited:
            below.clear()
            continue
        visited.add(real)
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    videos = sorted(filter(is_video_name, found))
    text = "{}; this report ignores the files in it: change its permissions"
    return videos, [
        Finding("unreadable folder", "", str(error.filename), text.format(error.strerror))
        for error in errors
    ]


def shared_subjects(index: pd.DataFrame) -> Iterator[Finding]:
    """Subjects with recordings in several splits."""
    named = index[(index["subject"] != "") & (index["split"] != "")]
    for subject, rows in named.groupby("subject"):
        if rows["split"].nunique() > 1:
            where = "; ".join(
                f"{split}: {', '.join(part['recording'])}" for split, part in rows.groupby("split")
            )
            yield Finding(
                "subject in two splits",
                str(rows["recording"].iloc[0]),
                "",
                f"expected subject {subject!r} in one split, got {where}; "
                "move its recordings into one",
            )


def near_duplicates(recordings: Sequence[CheckedRecording]) -> Iterator[Finding]:
    """Clips of different splits with the same content, apart from coding, size and brightness."""
    by_video = {str(each.row["video"]): each for each in reversed(recordings) if each.video}
    clips = list(reversed(by_video.values()))
    if not clips:
        return
    hashes = np.stack([clip.video.hash for clip in clips if clip.video])
    splits = np.array([clip.row["split"] for clip in clips])
    distance = hash_distances(hashes, hashes)
    has_split = splits != ""
    across = (splits[:, None] != splits) & has_split & has_split[:, None]
    for one, other in np.argwhere(np.triu((distance <= SIMILAR) & across)):
        first, second = (clips[number].row for number in (one, other))
        yield Finding(
            "near-duplicate across splits",
            str(second["recording"]),
            str(second["video"]),
            f"same content as {first['recording']!r} of {first['split']} "
            f"({distance[one, other]:.1%} of the hash bits differ; up to {SIMILAR:.0%} counts as a "
            "copy); remove one of the two",
        )
