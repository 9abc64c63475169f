"""Find the files of Aff-Wild, and read text and `.pts` files."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectkit.datasets.index import find_videos, not_found, visible_files
from affectkit.errors import AffectkitError
from affectkit.files import read_lines
from affectkit.recording import AFFECT, AXIS

SPLITS = ("train", "test")


@dataclass(frozen=True)
class AnnotationFiles:
    """The annotation files of one recording, by affect."""

    split: str
    paths: dict[str, Path] = field(default_factory=dict)


def find_annotations(root: Path) -> dict[str, AnnotationFiles]:
    """The annotation files by recording, sorted by split and name.

    Raises:
        AffectkitError: `root` has none.
    """
    found: dict[str, AnnotationFiles] = {}
    for split in SPLITS:
        paths = [
            path
            for folder in _folders(root, "annotations", split)
            for affect in AFFECT
            for path in visible_files(folder / affect, "*.txt")
        ]
        for path in sorted(paths, key=lambda path: path.stem):
            files = found.setdefault(path.stem, AnnotationFiles(split))
            files.paths.setdefault(path.parent.name, path)
    if not found:
        wanted = "annotations/train/valence/*.txt here and up to two folders down"
        raise not_found("Aff-Wild", root, wanted)
    return found


def find_videos_of(root: Path) -> dict[str, Path]:
    """The videos by recording."""
    folders = [folder for split in SPLITS for folder in _folders(root, "videos", split)]
    return find_videos(folders, "*")


def find_points(root: Path, kind: str, split: str, name: str) -> dict[int, Path]:
    """The `.pts` files of a recording by frame, from 0; `kind` is `bboxes` or `landmarks`.

    Raises:
        AffectkitError: there is a file with number 0; numbers start at 1.
    """
    for folder in _folders(root, kind, split):
        paths = [path for path in visible_files(folder / name, "*.pts") if path.stem.isdecimal()]
        if paths:
            found = {int(path.stem) - 1: path for path in paths}
            if -1 in found:
                raise AffectkitError(f"{found[-1]}: expected frame numbers from 1 as names, got 0")
            return dict(sorted(found.items()))
    return {}


def _folders(root: Path, kind: str, split: str) -> list[Path]:
    return [
        folder
        for depth in ("", "*/", "*/*/")
        for nested in (split, f"{split}/{split}")
        for folder in sorted(root.glob(f"{depth}{kind}/{nested}"))
    ]


def read_values(path: Path) -> NDArray[np.float64]:
    """Read a text file (line).

    Raises:
        AffectkitError: the file is missing or empty, or has a line that is not a number in
            [-1, 1].
    """
    lines = read_lines(path)
    if not lines:
        raise AffectkitError(f"{path}: expected one number per line, got an empty file")
    return np.array(list(_numbers(path, lines)), np.float64)


def _numbers(path: Path, lines: list[str]) -> Iterator[float]:
    for number, line in enumerate(lines, start=1):
        try:
            value = float(line)
        except ValueError:
            value = np.nan
        if not -1 <= value <= 1:
            raise AffectkitError(
                f"{path}, line {number}: expected a number in [-1, 1], got {line!r}"
            )
        yield value


HEAD = 3  # lines: version, n_points, opening brace


def read_points(path: Path, count: int) -> NDArray[np.float32]:
    """Read `count` points (point, axis).

    Raises:
        AffectkitError: the file is missing, has another number of points, or has a line that is
            not two numbers.
    """
    lines = [line.strip() for line in read_lines(path)]
    if len(lines) != HEAD + count + 1 or (lines[HEAD - 1], lines[-1]) != ("{", "}"):
        raise AffectkitError(
            f"{path}: expected version, n_points and {count} points in braces on "
            f"{HEAD + count + 1} lines, got {len(lines)} lines"
        )
    return np.array(
        [_point(path, number, lines[number - 1]) for number in range(HEAD + 1, len(lines))],
        np.float32,
    )


def _point(path: Path, number: int, line: str) -> list[float]:
    try:
        point = [float(text) for text in line.split()]
    except ValueError:
        point = []
    if len(point) != len(AXIS) or not np.isfinite(point).all():
        raise AffectkitError(f"{path}, line {number}: expected the numbers x and y, got {line!r}")
    return point
