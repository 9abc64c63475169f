"""What lies where below the root of Aff-Wild."""

from dataclasses import dataclass, field
from pathlib import Path

from affectkit.datasets.listing import find_videos, not_found, visible
from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Texts:
    """The files of one recording, by affect."""

    split: str
    paths: dict[str, Path] = field(default_factory=dict)


def find_texts(root: Path) -> dict[str, Texts]:
    """The annotation files by recording, in the order of splits and names.

    Raises:
        AffectkitError: `root` has none.
    """
    found: dict[str, Texts] = {}
    for split in SPLITS:
        paths = [
            path
            for folder in _folders(root, "annotations", split)
            for affect in AFFECT
            for path in visible(folder / affect, "*.txt")
        ]
        for path in sorted(paths, key=lambda path: path.stem):
            texts = found.setdefault(path.stem, Texts(split))
            texts.paths.setdefault(path.parent.name, path)
    if not found:
        wanted = "annotations/train/valence/*.txt here and up to two folders down"
        raise not_found("Aff-Wild", root, wanted)
    return found


def find_videos_of(root: Path) -> dict[str, Path]:
    """The videos by recording."""
    folders = [folder for split in SPLITS for folder in _folders(root, "videos", split)]
    return find_videos(folders, "*")


def find_points(root: Path, kind: str, split: str, name: str) -> dict[int, Path]:
    """The `.pts` files of a recording by frame, from 0 on; `kind` is `bboxes` or `landmarks`.

    Raises:
        AffectkitError: there is a file of number 0, where numbers should begin with 1.
    """
    for folder in _folders(root, kind, split):
        paths = [path for path in visible(folder / name, "*.pts") if path.stem.isdecimal()]
        if paths:
            found = {int(path.stem) - 1: path for path in paths}
            if -1 in found:
                raise AffectkitError(f"{found[-1]}: expected frame numbers from 1 on, got 0")
            return dict(sorted(found.items()))
    return {}


def _folders(root: Path, kind: str, split: str) -> list[Path]:
    return [
        folder
        for depth in ("", "*/", "*/*/")
        for nested in (split, f"{split}/{split}")
        for folder in sorted(root.glob(f"{depth}{kind}/{nested}"))
    ]
