"""AffectNet's release of 2021: numbered pictures, with four small files each.

With quirks: numbers with gaps, every other value as a number instead of text, a picture without
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
    recordings,
    subjects,
    true_values,
    write_pictures,
)
from affectkit.datasets.synthetic.layouts.layout import Layout, true_landmarks
from affectkit.datasets.synthetic.scene import Settings, make_scene
from affectkit.files import atomic_write, write_text

DECIMALS = 2  # of the landmarks
NOT_LABELLED, WITHOUT_LANDMARKS = 1, 3  # frames, with quirks
STEP = 3  # between numbers, with quirks


def write(root: Path, settings: Settings, number: int) -> None:
    """Write the pictures of one subject and their annotations."""
    if settings.split(number) not in SETS:
        return
    folder = root / SETS[settings.split(number)]
    write_pictures(folder / "images", settings, number, _name)
    scene = make_scene(settings, number)
    points, values = true_landmarks(scene, DECIMALS), np.nan_to_num(true_values(scene), nan=-2)
    for frame, value in enumerate(values):
        if not _has_quirk(settings, frame, NOT_LABELLED):
            path = folder / "annotations" / str(_number(settings, number, frame))
            _save_value(path, settings, frame, value)
            if not _has_quirk(settings, frame, WITHOUT_LANDMARKS):
                _save(path.with_name(f"{path.name}_lnd.npy"), points[frame].ravel())
    if settings.quirks:
        write_text(folder / "images" / ".DS_Store", "")
        write_text(folder / "annotations" / "._0_val.npy", "")


def _save_value(path: Path, settings: Settings, frame: int, value: np.ndarray) -> None:
    expression = 8 if NOT_ANNOTATED in value else int(value[0] > 0)
    contents = {"exp": str(expression), "val": str(value[0]), "aro": str(value[1])}
    for kind, text in contents.items():
        content = float(text) if settings.quirks and frame % 2 else text
        _save(path.with_name(f"{path.name}_{kind}.npy"), content)


def _save(path: Path, content: ArrayLike) -> None:
    if not path.is_file():
        with atomic_write(path) as partial:
            np.save(partial, np.asarray(content), allow_pickle=False)


def _number(settings: Settings, number: int, frame: int) -> int:
    """The number of a picture in its split."""
    place = subjects(settings, settings.split(number)).index(number) * settings.frames + frame
    return place * (STEP if settings.quirks else 1)


def _name(settings: Settings, number: int, frame: int) -> str:
    return f"{_number(settings, number, frame)}.jpg"


def _has_quirk(settings: Settings, frame: int, quirk_frame: int) -> bool:
    return settings.quirks and frame == quirk_frame


def expected(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """What to read back: all pictures of a split, a thousand per recording."""
    return recordings(settings, number, _stills, ALIGNMENT)


def _stills(settings: Settings, number: int) -> Stills:
    scene = make_scene(settings, number)
    values = true_values(scene)
    landmark = true_landmarks(scene, DECIMALS).astype(np.float32)
    if settings.quirks:
        values[NOT_LABELLED : NOT_LABELLED + 1] = np.nan
        for quirk_frame in (NOT_LABELLED, WITHOUT_LANDMARKS):
            landmark[quirk_frame : quirk_frame + 1] = np.nan
    still = [
        "" if is_missing(settings, frame) else _name(settings, number, frame)
        for frame in range(len(values))
    ]
    return Stills(still, values, landmark, None)


LAYOUT = Layout(affectnet.index, affectnet.annotations, write, expected)
