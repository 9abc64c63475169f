"""AffectNet's release of 2017: one table per split, and pictures in folders with arbitrary names.

With quirks: folders as the archives unpack, CRLF, a byte order mark and blank lines, no header in
`validation.csv`, a missing picture, and a picture without face.
"""

import hashlib
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import affectnet
from affectkit.datasets.affectnet.grouping import Stills
from affectkit.datasets.affectnet.release_2017 import ALIGNMENT, COLUMNS, PICTURES, TABLES
from affectkit.datasets.annotation import box_around
from affectkit.datasets.synthetic.layouts.affectnet import (
    is_missing,
    recordings,
    subjects,
    true_values,
    write_pictures,
)
from affectkit.datasets.synthetic.layouts.layout import Layout, true_landmarks
from affectkit.datasets.synthetic.scene import Settings, make_scene
from affectkit.files import write_text

DECIMALS = 2  # of the landmarks
FACELESS = 3  # the frame without face, with quirks


def write(root: Path, settings: Settings, number: int) -> None:
    """Write the pictures of one subject."""
    folder = root / "Manually_Annotated" / PICTURES if settings.quirks else root / PICTURES
    if settings.split(number) in TABLES:
        write_pictures(folder, settings, number, _name)


def _name(settings: Settings, number: int, frame: int) -> str:
    seed = f"{settings.seed}/{number}/{frame}".encode()
    return f"{number + 1}/{hashlib.sha1(seed, usedforsecurity=False).hexdigest()}.jpg"


def finish(root: Path, settings: Settings) -> None:
    """Write the tables with the pictures of all subjects."""
    folder = root / "Manually_Annotated_file_lists" if settings.quirks else root
    for split, name in TABLES.items():
        lines = [line for number in subjects(settings, split) for line in _lines(settings, number)]
        if lines and not (folder / name).is_file():
            write_text(folder / name, _table(lines, split, settings.quirks))


def _table(lines: list[str], split: str, quirks: bool) -> str:
    header = ",".join(COLUMNS)
    if not quirks:
        return "\n".join([header, *lines, ""])
    without_header = split == "validation"
    return "\n".join(lines) if without_header else "\ufeff" + "\r\n".join([header, "", *lines, ""])


def _lines(settings: Settings, number: int) -> list[str]:
    scene = make_scene(settings, number)
    points, values = true_landmarks(scene, DECIMALS), true_values(scene)
    lines = []
    for frame, (value, face) in enumerate(zip(values, _faces(points), strict=True)):
        text = ";".join(f"{number:.{DECIMALS}f}" for number in points[frame].ravel())
        if _is_faceless(settings, frame):
            face, text = np.full(4, -1), ""
        expression = 10 if np.isnan(value).any() else int(value[0] > 0)
        affect = np.where(np.isnan(value), -2, value)
        cells = [_name(settings, number, frame), *face, text, expression, *affect.tolist()]
        lines.append(",".join(map(str, cells)))
    return lines


def _is_faceless(settings: Settings, frame: int) -> bool:
    return settings.quirks and frame == FACELESS


def _faces(landmark: NDArray[np.float64]) -> NDArray[np.int64]:
    """x, y, width and height (frame, 4) of faces around their landmarks, in whole pixels."""
    first, last = np.split(box_around(landmark), 2, axis=1)
    corner = np.floor(first)
    return np.concatenate([corner, np.ceil(last) - corner], axis=1).astype(int)


def expected(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """What to read back: all pictures of a split, a thousand per recording."""
    return recordings(settings, number, _stills, ALIGNMENT)


def _stills(settings: Settings, number: int) -> Stills:
    scene = make_scene(settings, number)
    landmark = true_landmarks(scene, DECIMALS).astype(np.float32)
    face = _faces(true_landmarks(scene, DECIMALS))
    box = np.concatenate([face[:, :2], face[:, :2] + face[:, 2:]], axis=1).astype(np.float32)
    faceless = [_is_faceless(settings, frame) for frame in range(len(box))]
    box[faceless], landmark[faceless] = np.nan, np.nan
    still = [
        "" if is_missing(settings, frame) else _name(settings, number, frame)
        for frame in range(len(box))
    ]
    return Stills(still, true_values(scene), landmark, box)


LAYOUT = Layout(affectnet.index, affectnet.annotations, write, expected, finish)
