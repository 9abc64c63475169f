"""Find the files of Aff-Wild2, interpret their names, and read text files."""

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from affectkit.datasets.index import find_videos, not_found, visible_files
from affectkit.errors import AffectkitError, unknown
from affectkit.files import read_lines
from affectkit.recording import AFFECT

SPLITS = {
    "Train_Set": "train",
    "Training_Set": "train",
    "Validation_Set": "validation",
    "Test_Set": "test",
}
ANNOTATION_FOLDERS = ("VA_Estimation_Challenge", "VA_Set")  # the newer release first
VIDEO_FOLDERS = ("batch*", "raw_videos*", "new_vids*")
CROP_FOLDERS = ("cropped_aligned*", "cropped_aligned*/batch*")
SIDES = ("left", "right")


def find_annotations(root: Path) -> dict[str, Path]:
    """The text files by recording, sorted by split and name.

    Raises:
        AffectkitError: `root` has none in one of the known layouts.
    """
    for name in ANNOTATION_FOLDERS:
        for depth in ("", "*/", "*/*/"):
            for folder in sorted(root.glob(f"{depth}{name}")):
                if found := _texts(folder):
                    return found
    wanted = " or ".join(
        f"{name}/{{Train_Set,Validation_Set}}/*.txt" for name in ANNOTATION_FOLDERS
    )
    raise not_found("Aff-Wild2", root, f"{wanted} here or up to two folders further down")


def _texts(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for split in SPLITS:
        for path in (
            *visible_files(folder, f"{split}/*.txt"),
            *visible_files(folder, f"{split}/{split}/*.txt"),
        ):
            first = found.setdefault(path.stem, path)
            if split_of(first) != split_of(path):
                warnings.warn(
                    f"{path} is ignored: {first} has the same name in another split", stacklevel=4
                )
    return found


def find_videos_of(root: Path) -> dict[str, Path]:
    """The videos by name."""
    return find_videos(_folders(root, VIDEO_FOLDERS), "*")


def find_crops(root: Path) -> dict[str, Path]:
    """The folders of crops by recording; of two with the same name, the outer one."""
    found: dict[str, Path] = {}
    for outer in _folders(root, CROP_FOLDERS):
        for folder in visible_files(outer, "*"):
            if folder.is_dir():
                found.setdefault(folder.name, folder)
    return found


def _folders(root: Path, patterns: Iterable[str]) -> list[Path]:
    """Folders in `root` and one level below; deeper levels have millions of pictures."""
    return [
        folder
        for depth in ("", "*/")
        for pattern in patterns
        for folder in sorted(root.glob(f"{depth}{pattern}"))
    ]


def annotation_file(root: Path, name: str) -> Path:
    """The text file of a recording.

    Raises:
        AffectkitError: there is no such recording.
    """
    found = find_annotations(root)
    if name not in found:
        raise unknown("recording", name, found)
    return found[name]


def split_of(path: Path) -> str:
    """The split of an annotation, from the name of its folder."""
    return SPLITS[path.parent.name]


def video_name(recording: str) -> str:
    """The name of the video of a recording, without the side of the person."""
    for side in SIDES:
        recording = recording.removesuffix(f"_{side}")
    return recording


def side_of(recording: str, tracks: set[str]) -> str:
    """`left`, `right` or ""; without suffix, the side opposite to the other track."""
    for side, other in (SIDES, SIDES[::-1]):
        neighbours = {f"{recording}_{other}", f"{recording}_{side}"} & tracks
        if recording.endswith(f"_{side}") or neighbours == {f"{recording}_{other}"}:
            return side
    return ""


HEADER = "valence,arousal"
NOT_ANNOTATED = -5.0


def read_annotation(path: Path) -> NDArray[np.float32]:
    """Read a text file (line, affect); NaN in both columns if either is marked as not annotated.

    Raises:
        AffectkitError: the file is missing, has another header, or has a line that is not two
            numbers in [-1, 1] or -5.
    """
    lines = read_lines(path)
    header = lines[0].replace(" ", "").lower() if lines else ""
    if header != HEADER:
        raise AffectkitError(f"{path}, line 1: expected the header {HEADER!r}, got {header!r}")
    values = np.array(list(_numbers(path, lines)), np.float32).reshape(-1, len(AFFECT))
    values[(values == NOT_ANNOTATED).any(axis=1)] = np.nan
    return values


def _numbers(path: Path, lines: list[str]) -> Iterator[list[float]]:
    for number, line in enumerate(lines[1:], start=2):
        try:
            values = [float(text) for text in line.split(",")]
        except ValueError:
            values = []
        if len(values) != len(AFFECT) or not all(map(_is_allowed, values)):
            raise AffectkitError(
                f"{path}, line {number}: expected valence,arousal in [-1, 1] or -5, got {line!r}"
            )
        yield values


def _is_allowed(value: float) -> bool:
    return -1 <= value <= 1 or value == NOT_ANNOTATED
