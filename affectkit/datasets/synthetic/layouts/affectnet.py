"""Functions of both layouts of AffectNet: pictures, a thousand per recording.

Each frame of a subject's scene is a picture. There is no test set, so no test subjects are written.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.affectnet.grouping import STILLS, Stills, group_name
from affectkit.datasets.annotation import add_pictures, box_around, make_annotation
from affectkit.datasets.synthetic.layouts.layout import write_picture
from affectkit.datasets.synthetic.rendering import render_video
from affectkit.datasets.synthetic.scene import Scene, Settings, make_scene

DECIMALS = 4  # of the values
MISSING = 2  # the frame without picture, with quirks

Name = Callable[[Settings, int, int], str]  # of a picture, by subject and frame


def subjects(settings: Settings, split: str) -> list[int]:
    """The numbers of the subjects of a split."""
    return [number for number in range(len(settings.names)) if settings.split(number) == split]


def write_pictures(folder: Path, settings: Settings, number: int, name: Name) -> None:
    """Write the pictures of a subject into `folder`; nothing is rendered if all exist."""
    paths = {
        frame: folder / name(settings, number, frame)
        for frame in range(settings.frames)
        if not is_missing(settings, frame)
    }
    if not all(path.is_file() for path in paths.values()):
        for frame, (_, rgb) in enumerate(render_video(make_scene(settings, number), settings.fps)):
            if frame in paths:
                write_picture(paths[frame], rgb)


def is_missing(settings: Settings, frame: int) -> bool:
    """Whether the picture of a frame is missing."""
    return settings.quirks and frame == MISSING


def true_values(scene: Scene) -> NDArray[np.float64]:
    """The mean of the raters (frame, affect), rounded as in the files; NaN = not annotated."""
    values = np.asarray(scene.rating.mean(axis=0).round(DECIMALS))
    values[~scene.annotated] = np.nan
    return values


def recordings(
    settings: Settings, number: int, stills: Callable[[Settings, int], Stills], alignment: str
) -> dict[str, xr.Dataset]:
    """What to read back: all recordings of a split for its first subject, none for the others."""
    split = settings.split(number)
    owners = subjects(settings, split)
    if split == "test" or number != owners[0]:
        return {}
    parts = [stills(settings, owner) for owner in owners]
    still = [name for part in parts for name in part.still]
    values = np.concatenate([part.values for part in parts])
    landmark = np.concatenate([part.landmark for part in parts])
    box = np.concatenate(
        [box_around(part.landmark) if part.box is None else part.box for part in parts]
    )
    annotation = {}
    for nth, start in enumerate(range(0, len(still), STILLS)):
        own, name = slice(start, start + STILLS), group_name(split, nth)
        annotated = make_annotation(
            values[own], dataset="synthetic", recording=name, alignment=alignment
        )
        annotation[name] = add_pictures(
            annotated, still=still[own], landmark=landmark[own], box=box[own]
        )
    return annotation
