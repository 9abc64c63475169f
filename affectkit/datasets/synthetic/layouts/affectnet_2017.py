"""AffectNet's release of 2017: a table a split, and pictures in folders with meaningless names.

With traps: folders as the archives unpack, CRLF, a byte order mark and blank lines, no header in
`validation.csv`, a picture that is not there, and one in which no face was found.
"""

import hashlib
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets import affectnet
from affectkit.datasets.affectnet.grouping import Stills
from affectkit.datasets.affectnet.release_2017 import ALIGNMENT, COLUMNS, PICTURES, TABLES
from affectkit.datasets.pictures import box_around
from affectkit.datasets.synthetic.layouts.affectnet import (
    is_missing,
    people,
    recordings,
    true_values,
    write_pictures,
)
from affectkit.datasets.synthetic.layouts.layout import Layout
from affectkit.datasets.synthetic.pictures import true_landmarks
from affectkit.datasets.synthetic.plan import Plan, make_scene
from affectkit.files import write_text

DECIMALS = 2  # of the landmarks
FACELESS = 3  # the frame of the traps


def write(root: Path, plan: Plan, number: int) -> None:
    """Write one person's pictures."""
    folder = root / "Manually_Annotated" / PICTURES if plan.traps else root / PICTURES
    if plan.split(number) in TABLES:
        write_pictures(folder, plan, number, _name)


def _name(plan: Plan, number: int, frame: int) -> str:
    drawn = f"{plan.seed}/{number}/{frame}".encode()
    return f"{number + 1}/{hashlib.sha1(drawn, usedforsecurity=False).hexdigest()}.jpg"


def finish(root: Path, plan: Plan) -> None:
    """Write the tables of all people's pictures."""
    folder = root / "Manually_Annotated_file_lists" if plan.traps else root
    for split, name in TABLES.items():
        lines = [line for number in people(plan, split) for line in _lines(plan, number)]
        if lines and not (folder / name).is_file():
            write_text(folder / name, _table(lines, split, plan.traps))


def _table(lines: list[str], split: str, traps: bool) -> str:
    header = ",".join(COLUMNS)
    if not traps:
        return "\n".join([header, *lines, ""])
    without_header = split == "validation"
    return "\n".join(lines) if without_header else "\ufeff" + "\r\n".join([header, "", *lines, ""])


def _lines(plan: Plan, number: int) -> list[str]:
    scene = make_scene(plan, number)
    points, values = true_landmarks(scene, DECIMALS), true_values(scene)
    lines = []
    for frame, (value, face) in enumerate(zip(values, _faces(points), strict=True)):
        text = ";".join(f"{number:.{DECIMALS}f}" for number in points[frame].ravel())
        if _is_faceless(plan, frame):
            face, text = np.full(4, -1), ""
        expression = 10 if np.isnan(value).any() else int(value[0] > 0)
        affect = np.where(np.isnan(value), -2, value)
        cells = [_name(plan, number, frame), *face, text, expression, *affect.tolist()]
        lines.append(",".join(map(str, cells)))
    return lines


def _is_faceless(plan: Plan, frame: int) -> bool:
    return plan.traps and frame == FACELESS


def _faces(landmark: NDArray[np.float64]) -> NDArray[np.int64]:
    """x, y, width and height (frame, 4) of faces, whole pixels around their landmarks."""
    first, last = np.split(box_around(landmark), 2, axis=1)
    corner = np.floor(first)
    return np.concatenate([corner, np.ceil(last) - corner], axis=1).astype(int)


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """What must be read back: all pictures of a split, a thousand a recording."""
    return recordings(plan, number, _stills, ALIGNMENT)


def _stills(plan: Plan, number: int) -> Stills:
    scene = make_scene(plan, number)
    landmark = true_landmarks(scene, DECIMALS).astype(np.float32)
    face = _faces(true_landmarks(scene, DECIMALS))
    box = np.concatenate([face[:, :2], face[:, :2] + face[:, 2:]], axis=1).astype(np.float32)
    faceless = [_is_faceless(plan, frame) for frame in range(len(box))]
    box[faceless], landmark[faceless] = np.nan, np.nan
    still = [
        "" if is_missing(plan, frame) else _name(plan, number, frame) for frame in range(len(box))
    ]
    return Stills(still, true_values(scene), landmark, box)


LAYOUT = Layout(affectnet.index, affectnet.annotations, write, written, finish)
