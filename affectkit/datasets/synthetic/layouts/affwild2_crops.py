"""Aff-Wild2 without its videos: `cropped_aligned`, a picture of the face for each frame.

There are no time stamps in it: whoever wants the plan's time should draw 30 frames a second. With
traps: the text files of `affwild2_takes`, frames without a picture, a name padded with blanks, and
hidden files.
"""

from pathlib import Path

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.affwild2 import crops
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.layouts.affwild2 import SPLIT_FOLDERS
from affectkit.datasets.synthetic.layouts.affwild2_takes import (
    Take,
    read_back,
    scene_of,
    takes,
    text_of,
)
from affectkit.datasets.synthetic.layouts.layout import Layout, write_once
from affectkit.datasets.synthetic.pictures import true_landmarks, write_picture
from affectkit.datasets.synthetic.plan import Plan
from affectkit.recording import DIMS, EDGE

SIZE = 112
MARGIN = 1.25  # edge of the crop, in that of the square around the landmarks
FACELESS = (1, 4)  # frames of the traps without a picture
PADDED = 3  # frame of the traps with blanks in the picture's name


def write(root: Path, plan: Plan, number: int) -> None:
    """Write the annotations and crops of one person."""
    texts = root / "VA_Estimation_Challenge" / SPLIT_FOLDERS[plan.split(number)]
    for take in takes(plan, number):
        write_once(texts / f"{take.name}.txt", text_of(plan, take), end=take.end)
        folder = root / "cropped_aligned" / take.name
        _write_crops(folder, plan, take)
        if plan.traps:
            for hidden in (".DS_Store", "._00001.jpg"):
                write_once(folder / hidden, "")


def _write_crops(folder: Path, plan: Plan, take: Take) -> None:
    scene = scene_of(plan, take, take.number)
    points, names = true_landmarks(scene, 1), _names(plan, len(scene.movement))
    for name, (_, rgb), landmark in zip(names, film(scene, take.fps), points, strict=True):
        if name:
            write_picture(folder / name, _cut(rgb, landmark))


def _names(plan: Plan, frames: int) -> list[str]:
    """The picture of each frame; "" where there is none."""
    names = [f"{frame + 1:05d}.jpg" for frame in range(frames)]
    if plan.traps:
        names = ["" if frame in FACELESS else name for frame, name in enumerate(names)]
        names[PADDED : PADDED + 1] = [f"{PADDED + 1:6d}.jpg"] * len(names[PADDED : PADDED + 1])
    return names


def _cut(rgb: NDArray[np.uint8], landmark: NDArray[np.float64]) -> NDArray[np.uint8]:
    low, high = landmark.min(axis=0), landmark.max(axis=0)
    scale = SIZE / (MARGIN * (high - low).max())
    shift = SIZE / 2 - scale * (low + high) / 2
    matrix = np.column_stack([np.eye(2) * scale, shift])
    cut = cv2.warpAffine(rgb, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file, and the pictures there are."""
    return {take.name: _known(plan, take) for take in takes(plan, number)}


def _known(plan: Plan, take: Take) -> xr.Dataset:
    values = read_back(plan, take)
    names = _names(plan, len(values) - take.line_too_many)
    pictures = sum(map(bool, names))
    still = np.array(names + [""] * take.line_too_many, np.str_)
    box = np.where((still != "")[:, None], [0, 0, SIZE, SIZE], np.nan).astype(np.float32)
    known = annotate(values, dataset="synthetic", recording=take.name,
                     alignment=crops.counted(len(values), pictures))  # fmt: skip
    variables = {"still": (DIMS["still"], still), "crop_box": (DIMS["crop_box"], box)}
    return known.assign(variables).assign_coords(edge=list(EDGE))


LAYOUT = Layout(crops.index, crops.annotations, write, written)
