"""AffectNet's release of 2021: numbered pictures, and four small files for each.

With traps: numbers with gaps, every other value as a number and not as text, a picture without
annotation, one without landmarks, an annotation without picture, and hidden files.
"""

from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from affectkit.datasets import affectnet
from affectkit.datasets.affectnet.grouping import NOT_ANNOTATED, Stills
from affectkit.datasets.affectnet.release_2021 import ALIGNMENT, SETS
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
from affectkit.files import beside, write_text

DECIMALS = 2  # of the landmarks
UNTOLD, PLAIN = 1, 3  # frames of the traps: without annotation, without landmarks
STEP = 3  # from number to number, with traps


def write(root: Path, plan: Plan, number: int) -> None:
    """Write one person's pictures and their annotations."""
    if plan.split(number) not in SETS:
        return
    folder = root / SETS[plan.split(number)]
    write_pictures(folder / "images", plan, number, _name)
    scene = make_scene(plan, number)
    points, values = true_landmarks(scene, DECIMALS), np.nan_to_num(true_values(scene), nan=-2)
    for frame, value in enumerate(values):
        if not _is_trap(plan, frame, UNTOLD):
            path = folder / "annotations" / str(_number(plan, number, frame))
            _save_value(path, plan, frame, value)
            if not _is_trap(plan, frame, PLAIN):
                _save(path.with_name(f"{path.name}_lnd.npy"), points[frame].ravel())
    if plan.traps:
        write_text(folder / "images" / ".DS_Store", "")
        write_text(folder / "annotations" / "._0_val.npy", "")


def _save_value(path: Path, plan: Plan, frame: int, value: np.ndarray) -> None:
    expression = 8 if NOT_ANNOTATED in value else int(value[0] > 0)
    contents = {"exp": str(expression), "val": str(value[0]), "aro": str(value[1])}
    for kind, text in contents.items():
        content = float(text) if plan.traps and frame % 2 else text
        _save(path.with_name(f"{path.name}_{kind}.npy"), content)


def _save(path: Path, content: ArrayLike) -> None:
    if not path.is_file():
        with beside(path) as partial:
            np.save(partial, np.asarray(content), allow_pickle=False)


def _number(plan: Plan, number: int, frame: int) -> int:
    """The number of a picture among all of its split."""
    place = people(plan, plan.split(number)).index(number) * plan.frames + frame
    return place * (STEP if plan.traps else 1)


def _name(plan: Plan, number: int, frame: int) -> str:
    return f"{_number(plan, number, frame)}.jpg"


def _is_trap(plan: Plan, frame: int, trap: int) -> bool:
    return plan.traps and frame == trap


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """What must be read back: all pictures of a split, a thousand a recording."""
    return recordings(plan, number, _stills, ALIGNMENT)


def _stills(plan: Plan, number: int) -> Stills:
    scene = make_scene(plan, number)
    values = true_values(scene)
    landmark = true_landmarks(scene, DECIMALS).astype(np.float32)
    if plan.traps:
        values[UNTOLD : UNTOLD + 1] = np.nan
        for trap in (UNTOLD, PLAIN):
            landmark[trap : trap + 1] = np.nan
    still = [
        "" if is_missing(plan, frame) else _name(plan, number, frame)
        for frame in range(len(values))
    ]
    return Stills(still, values, landmark, None)


LAYOUT = Layout(affectnet.index, affectnet.annotations, write, written)
