"""The true causes of a synthetic video, made again from the plan."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.synthetic.drawing import draw
from affectkit.datasets.synthetic.landmarks import landmarks
from affectkit.datasets.synthetic.layouts import LAYOUTS
from affectkit.datasets.synthetic.movement import MOVEMENT, RATERS
from affectkit.datasets.synthetic.plan import Scene, make_scene, read_plan
from affectkit.errors import unknown
from affectkit.recording import AFFECT, AXIS


def truth(root: Path, name: str) -> xr.Dataset:
    """What made the video of the person `name` look as it does.

    Returns:
        `emotion` (frame, affect), before any rater saw it; `strength` (frame, movement): action
        units and blink in [0, 1], yaw, pitch and roll in radians, shifts in units of the face;
        `landmark` (frame, point, axis) in pixels of the video; `lag` (rater) in seconds;
        with `time` in seconds.

    Raises:
        AffectkitError: `root` is no synthetic dataset, or has no such person.
    """
    scene, fps = _scene(root, name)
    points = [landmarks(scene.person, _named(values)) for values in scene.movement]
    frame = np.arange(len(points))
    return xr.Dataset(
        {
            "emotion": (("frame", "affect"), scene.emotion.astype(np.float32)),
            "strength": (("frame", "movement"), scene.movement.astype(np.float32)),
            "landmark": (("frame", "point", "axis"), np.array(points, np.float32)),
            "lag": ("rater", [rater.lag for rater in RATERS.values()]),
        },
        {
            "frame": frame,
            "time": ("frame", frame / fps),
            "affect": list(AFFECT),
            "movement": list(MOVEMENT),
            "axis": list(AXIS),
            "rater": list(RATERS),
        },
        {"recording": name},
    )


def written(root: Path) -> dict[str, xr.Dataset]:
    """What a loader must read from `root`, by recording: annotations rounded as in the files.

    Raises:
        AffectkitError: `root` is no synthetic dataset.
    """
    plan = read_plan(root)
    layout, numbers = LAYOUTS[plan.layout], range(len(plan.names))
    return {
        name: known.assign_attrs(dataset="synthetic")
        for number in numbers
        for name, known in layout.written(plan, number).items()
    }


def effect(
    root: Path, name: str, frames: Sequence[int], movements: Sequence[str] = MOVEMENT[:6]
) -> xr.DataArray:
    """How much each movement changes each pixel: the frame drawn with it and without it.

    Returns:
        (movement, frame, row, col) float32 in grey levels: the absolute difference, mean over the
        channels, in pixels of the video. 0 all over where the movement is 0.

    Raises:
        AffectkitError: `root` is no synthetic dataset, or has no such person or movement.
    """
    wrong = [movement for movement in movements if movement not in MOVEMENT]
    if wrong:
        raise unknown("movement", wrong[0], MOVEMENT)
    scene, _ = _scene(root, name)
    values = np.stack(
        [[_difference(scene, frame, movement) for frame in frames] for movement in movements]
    )
    coords = {"movement": list(movements), "frame": list(frames)}
    return xr.DataArray(values, coords, ("movement", "frame", "row", "col"), name="effect")


def _difference(scene: Scene, frame: int, movement: str) -> NDArray[np.float32]:
    shown = _named(scene.movement[frame])
    with_it, without = (draw(scene.person, each) for each in (shown, shown | {movement: 0.0}))
    return np.asarray(np.abs(with_it.astype(np.float32) - without).mean(axis=-1))


def _named(values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(MOVEMENT, values.tolist(), strict=True))


def _scene(root: Path, name: str) -> tuple[Scene, float]:
    plan = read_plan(root)
    if name not in plan.names:
        raise unknown("person", name, plan.names)
    return make_scene(plan, plan.names.index(name)), plan.fps
