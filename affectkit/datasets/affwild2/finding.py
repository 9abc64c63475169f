"""What lies where below the root of Aff-Wild2, and what its names say."""

import warnings
from collections.abc import Iterable
from pathlib import Path

from affectkit.datasets.listing import find_videos, not_found, visible
from affectkit.errors import unknown

SPLITS = {
    "Train_Set": "train",
    "Training_Set": "train",
    "Validation_Set": "validation",
    "Test_Set": "test",
}
ANNOTATION_FOLDERS = ("VA_Estimation_Challenge", "VA_Set")  # the newer release first
VIDEO_FOLDERS = ("batch*", "raw_videos*", "new_vids*")
CROP_FOLDERS = ("cropped_aligned*", "cropped_aligned*/batch*")
PEOPLE = ("left", "right")


def find_annotations(root: Path) -> dict[str, Path]:
    """The text files by recording, in the order of splits and names.

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
    raise not_found("Aff-Wild2", root, f"{wanted} here and up to two folders down")


def _texts(folder: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for split in SPLITS:
        for path in (
            *visible(folder, f"{split}/*.txt"),
            *visible(folder, f"{split}/{split}/*.txt"),
        ):
            standing = found.setdefault(path.stem, path)
            if split_of(standing) != split_of(path):
                warnings.warn(f"{path} is left out: {standing} has the same name", stacklevel=4)
    return found


def find_videos_of(root: Path) -> dict[str, Path]:
    """The videos by name."""
    return find_videos(_folders(root, VIDEO_FOLDERS), "*")


def find_crops(root: Path) -> dict[str, Path]:
    """The folders of crops by recording; the outermost where a name is there twice."""
    found: dict[str, Path] = {}
    for outer in _folders(root, CROP_FOLDERS):
        for folder in visible(outer, "*"):
            if folder.is_dir():
                found.setdefault(folder.name, folder)
    return found


def _folders(root: Path, patterns: Iterable[str]) -> list[Path]:
    """Folders here and one further down; no deeper, where millions of pictures lie."""
    return [
        folder
        for depth in ("", "*/")
        for pattern in patterns
        for folder in sorted(root.glob(f"{depth}{pattern}"))
    ]


def annotation_of(root: Path, name: str) -> Path:
    """The text file of a recording.

    Raises:
        AffectkitError: there is no such recording.
    """
    found = find_annotations(Path(root))
    if name not in found:
        raise unknown("recording", name, found)
    return found[name]


def split_of(path: Path) -> str:
    """The split that the folder of an annotation stands for."""
    return SPLITS[path.parent.name]


def video_name(recording: str) -> str:
    """The name of the video, which people in it share."""
    for person in PEOPLE:
        recording = recording.removesuffix(f"_{person}")
    return recording


def person_of(recording: str, tracks: set[str]) -> str:
    """Which of two people; one who has no suffix is the one that the other's suffix leaves."""
    for person, other in (PEOPLE, PEOPLE[::-1]):
        beside = {f"{recording}_{other}", f"{recording}_{person}"} & tracks
        if recording.endswith(f"_{person}") or beside == {f"{recording}_{other}"}:
            return person
    return ""
