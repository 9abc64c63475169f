"""What both layouts of AffectNet share: the pictures of all people, a thousand a recording.

Each frame of a person's scene is a picture. There is no test set: its people are left out.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.affectnet.grouping import STILLS, Stills, group_name
from affectkit.datasets.pictures import box_around, bring_pictures
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.pictures import write_picture
from affectkit.datasets.synthetic.plan import Plan, Scene, make_scene

DECIMALS = 4  # of the values
MISSING = 2  # the frame whose picture is left out by the traps

Name = Callable[[Plan, int, int], str]  # of a person's picture of a frame


def people(plan: Plan, split: str) -> list[int]:
    """The numbers of the people of a split."""
    return [number for number in range(len(plan.names)) if plan.split(number) == split]


def write_pictures(folder: Path, plan: Plan, number: int, name: Name) -> None:
    """Write a person's pictures into `folder`; they are drawn only where one is not there."""
    paths = {
        frame: folder / name(plan, number, frame)
        for frame in range(plan.frames)
        if not is_missing(plan, frame)
    }
    if not all(path.is_file() for path in paths.values()):
        for frame, (_, rgb) in enumerate(film(make_scene(plan, number), plan.fps)):
            if frame in paths:
                write_picture(paths[frame], rgb)


def is_missing(plan: Plan, frame: int) -> bool:
    """Whether a frame's picture is left out."""
    return plan.traps and frame == MISSING


def true_values(scene: Scene) -> NDArray[np.float64]:
    """The mean of the raters (frame, affect), rounded as in the files; NaN = not annotated."""
    values = np.asarray(scene.rating.mean(axis=0).round(DECIMALS))
    values[~scene.annotated] = np.nan
    return values


def recordings(
    plan: Plan, number: int, stills: Callable[[Plan, int], Stills], alignment: str
) -> dict[str, xr.Dataset]:
    """What must be read back: all recordings of a split with its first person, else none."""
    split = plan.split(number)
    owners = people(plan, split)
    if split == "test" or number != owners[0]:
        return {}
    parts = [stills(plan, owner) for owner in owners]
    still = [name for part in parts for name in part.still]
    values = np.concatenate([part.values for part in parts])
    landmark = np.concatenate([part.landmark for part in parts])
    box = np.concatenate(
        [box_around(part.landmark) if part.box is None else part.box for part in parts]
    )
    known = {}
    for nth, start in enumerate(range(0, len(still), STILLS)):
        own, name = slice(start, start + STILLS), group_name(split, nth)
        annotated = annotate(values[own], dataset="synthetic", recording=name, alignment=alignment)
        known[name] = bring_pictures(
            annotated, still=still[own], landmark=landmark[own], box=box[own]
        )
    return known
