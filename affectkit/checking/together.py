"""What only all recordings together show: orphans, shared subjects, clips that stand in twice."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from affectkit.checking.facts import Case
from affectkit.checking.hashing import ALIKE, distances
from affectkit.checking.report import Finding
from affectkit.datasets.listing import VIDEO_SUFFIXES

WITHOUT_VIDEO = "annotation without video"
WITHOUT_ANNOTATION = "video without annotation"
SHOWN = 3  # of many files that share a note


def lonely_annotations(cases: Sequence[Case]) -> list[Finding]:
    """Recordings without video; one finding where that is all of them."""
    lonely = [case for case in cases if not case.row["video"]]
    text = "expected a video or a folder of pictures of that name, got none; see data/README.md"
    if len(lonely) > 1 and len(lonely) == len(cases):
        return [Finding(WITHOUT_VIDEO, "", "", f"all {len(cases)} recordings: {text}")]
    return [Finding(WITHOUT_VIDEO, str(case.row["recording"]), case.file, text) for case in lonely]


def lonely_videos(root: Path, index: pd.DataFrame) -> tuple[list[Finding], list[Finding]]:
    """Videos below `root` that belong to no recording, as findings or as a note.

    Where a dataset keeps the labels of its test part to itself, videos without annotation are to
    be expected: a note. Where the test part is annotated, or there are no splits: a finding each.
    Where recordings are folders of pictures, the videos that these came from are let be.
    """
    known = {os.path.realpath(root / str(video)) for video in index["video"] if video}
    videos, closed = _find_videos(root)
    if any(map(os.path.isdir, known)):
        return closed, []
    lonely = [path for path in videos if os.path.realpath(path) not in known]
    twins = set(map(_name_and_size, known))
    copies = [path for path in lonely if _name_and_size(path) in twins]
    lonely = [path for path in lonely if path not in copies]
    notes = [Finding("second copy of a video", "", "", _list(copies))] * bool(copies)
    splits = set(index["split"]) - {""}
    if lonely and splits and "test" not in splits:
        text = f"{_list(lonely)}; the test part's, whose labels are kept back?"
        return closed, [*notes, Finding(WITHOUT_ANNOTATION, "", "", text)]
    text = "expected a recording of it, got none; find its annotation, or move it elsewhere"
    return closed + [Finding(WITHOUT_ANNOTATION, "", str(path), text) for path in lonely], notes


def _name_and_size(path: str | Path) -> tuple[str, int]:
    return os.path.basename(path), os.path.getsize(path) if os.path.isfile(path) else 0


def _list(paths: Sequence[Path]) -> str:
    names = ", ".join(map(str, paths[:SHOWN])) + (", ..." if len(paths) > SHOWN else "")
    return f"{len(paths)}: {names}"


def _find_videos(root: Path) -> tuple[list[Path], list[Finding]]:
    """All videos below `root`, through links but never in circles, and folders that are closed."""
    found, seen = [], set()
    errors: list[OSError] = []
    for folder, below, names in os.walk(root, onerror=errors.append, followlinks=True):
        if (real := os.path.realpath(folder)) in seen:
            below.clear()
            continue
        seen.add(real)
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    videos = sorted(path for path in found if path.suffix.lower() in VIDEO_SUFFIXES)
    text = "{}; what lies in it is not in this report: change its permissions"
    return videos, [
        Finding("unreadable folder", "", str(error.filename), text.format(error.strerror))
        for error in errors
    ]


def shared_subjects(index: pd.DataFrame) -> Iterator[Finding]:
    """Subjects whose recordings lie in several splits."""
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


def near_duplicates(cases: Sequence[Case]) -> Iterator[Finding]:
    """Clips of different splits that show the same but for coding, size or brightness."""
    seen = {str(case.row["video"]): case for case in reversed(cases) if case.seen is not None}
    clips = list(reversed(seen.values()))
    if not clips:
        return
    hashes = np.stack([case.seen.hash for case in clips if case.seen is not None])
    splits = np.array([case.row["split"] for case in clips])
    apart = distances(hashes, hashes)
    near = (apart <= ALIKE) & (splits[:, None] != splits) & (splits != "") & (splits != "")[:, None]
    for one, other in np.argwhere(np.triu(near)):
        first, second = (clips[number].row for number in (one, other))
        yield Finding(
            "near-duplicate across splits",
            str(second["recording"]),
            str(second["video"]),
            f"shows the same as {first['recording']!r} of {first['split']} "
            f"({apart[one, other]:.1%} of the hash differ, up to {ALIKE:.0%} is a copy); "
            "take one of the two out",
        )
