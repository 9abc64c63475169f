"""Aff-Wild2 without videos: `cropped_aligned`, a picture of the face for each frame.

It has no time stamps: use 30 frames per second to read back the original times. With quirks: the
text files of `affwild2_tracks`, frames without picture, a name padded with blanks, hidden files.
"""

from pathlib import Path

import cv2
import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.affwild2 import crops
from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.synthetic.layouts.affwild2 import SPLIT_FOLDERS
from affectkit.datasets.synthetic.layouts.affwild2_tracks import (
    Track,
    annotation_text,
    expected_values,
    track_scene,
    tracks,
)
from affectkit.datasets.synthetic.layouts.layout import (
    Layout,
    true_landmarks,
    write_once,
    write_picture,
)
from affectkit.datasets.synthetic.rendering import render_video
from affectkit.datasets.synthetic.scene import Settings
from affectkit.recording import DIMS, EDGE

SIZE = 112
MARGIN = 1.25  # size of the crop relative to the square around the landmarks
FACELESS = (1, 4)  # frames without picture, with quirks
PADDED = 3  # frame with a padded picture name, with quirks


def write(root: Path, settings: Settings, number: int) -> None:
    """Write the annotations and crops of one subject."""
    texts = root / "VA_Estimation_Challenge" / SPLIT_FOLDERS[settings.split(number)]
    for track in tracks(settings, number):
        write_once(texts / f"{track.name}.txt", annotation_text(settings, track), end=track.end)
        folder = root / "cropped_aligned" / track.name
        _write_crops(folder, settings, track)
        if settings.quirks:
            for hidden in (".DS_Store", "._00001.jpg"):
                write_once(folder / hidden, "")


def _write_crops(folder: Path, settings: Settings, track: Track) -> None:
    scene = track_scene(settings, track, track.number)
    points, names = true_landmarks(scene, 1), _names(settings, len(scene.movement))
    for name, (_, rgb), landmark in zip(names, render_video(scene, track.fps), points, strict=True):
        if name:
            write_picture(folder / name, _crop(rgb, landmark))


def _names(settings: Settings, frames: int) -> list[str]:
    """The picture of each frame; "" if there is none."""
    names = [f"{frame + 1:05d}.jpg" for frame in range(frames)]
    if settings.quirks:
        names = ["" if frame in FACELESS else name for frame, name in enumerate(names)]
        names[PADDED : PADDED + 1] = [f"{PADDED + 1:6d}.jpg"] * len(names[PADDED : PADDED + 1])
    return names


def _crop(rgb: NDArray[np.uint8], landmark: NDArray[np.float64]) -> NDArray[np.uint8]:
    low, high = landmark.min(axis=0), landmark.max(axis=0)
    scale = SIZE / (MARGIN * (high - low).max())
    shift = SIZE / 2 - scale * (low + high) / 2
    matrix = np.column_stack([np.eye(2) * scale, shift])
    crop = cv2.warpAffine(rgb, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, np.uint8)


def expected(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file, and the existing pictures."""
    return {track.name: _expected(settings, track) for track in tracks(settings, number)}


def _expected(settings: Settings, track: Track) -> xr.Dataset:
    values = expected_values(settings, track)
    names = _names(settings, len(values) - track.extra_line)
    pictures = sum(map(bool, names))
    still = np.array(names + [""] * track.extra_line, np.str_)
    box = np.where((still != "")[:, None], [0, 0, SIZE, SIZE], np.nan).astype(np.float32)
    annotation = make_annotation(values, dataset="synthetic", recording=track.name,
                     alignment=crops.alignment_text(len(values), pictures))  # fmt: skip
    variables = {"still": (DIMS["still"], still), "crop_box": (DIMS["crop_box"], box)}
    return annotation.assign(variables).assign_coords(edge=list(EDGE))


LAYOUT = Layout(crops.index, crops.annotations, write, expected)
