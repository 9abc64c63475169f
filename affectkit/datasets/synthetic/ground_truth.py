"""The known causes of synthetic videos, computed again from the settings."""

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.synthetic.landmarks import landmarks
from affectkit.datasets.synthetic.layouts import LAYOUTS
from affectkit.datasets.synthetic.movement import MOVEMENT, RATERS
from affectkit.datasets.synthetic.rendering import render_face
from affectkit.datasets.synthetic.scene import Scene, make_scene, read_settings
from affectkit.errors import unknown
from affectkit.files import StrPath
from affectkit.recording import AFFECT, AXIS


def ground_truth(root: StrPath, name: str) -> xr.Dataset:
    """The causes of the video of subject `name`.

    Returns:
        `emotion` (frame, affect), before any rater saw it; `strength` (frame, movement): action
        units and blink in [0, 1], yaw, pitch and roll in radians, shifts in face widths;
        `landmark` (frame, point, axis) in pixels of the video; `delay` (rater) in seconds;
        the coordinate `time` in seconds.

    Raises:
        AffectkitError: `root` is not a synthetic dataset, or has no such subject.
    """
    scene, fps = _read_scene(root, name)
    points = [landmarks(scene.subject, _by_name(values)) for values in scene.movement]
    frame = np.arange(len(points))
    return xr.Dataset(
        {
            "emotion": (("frame", "affect"), scene.emotion.astype(np.float32)),
            "strength": (("frame", "movement"), scene.movement.astype(np.float32)),
            "landmark": (("frame", "point", "axis"), np.array(points, np.float32)),
            "delay": ("rater", [rater.delay for rater in RATERS.values()]),
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


def expected_annotations(root: StrPath) -> dict[str, xr.Dataset]:
    """What a loader must read from `root`, by recording, with values rounded as in the files.

    Raises:
        AffectkitError: `root` is not a synthetic dataset.
    """
    settings = read_settings(root)
    layout = LAYOUTS[settings.layout]
    return {
        name: annotation.assign_attrs(dataset="synthetic")
        for number in range(len(settings.names))
        for name, annotation in layout.expected(settings, number).items()
    }


def movement_effect(
    root: StrPath, name: str, frames: Sequence[int], movements: Sequence[str] = MOVEMENT[:6]
) -> xr.DataArray:
    """How much each movement changes each pixel: frames rendered with and without the movement.

    Returns:
        (movement, frame, row, col) float32 in grey levels: the absolute difference, averaged over
        the channels, in pixels of the video. It is 0 in frames where the movement is 0.

    Raises:
        AffectkitError: `root` is not a synthetic dataset, or has no such subject or movement.
    """
    wrong = [movement for movement in movements if movement not in MOVEMENT]
    if wrong:
        raise unknown("movement", wrong[0], MOVEMENT)
    scene, _ = _read_scene(root, name)
    values = np.stack(
        [[_difference(scene, frame, movement) for frame in frames] for movement in movements]
    )
    coords = {"movement": list(movements), "frame": list(frames)}
    return xr.DataArray(values, coords, ("movement", "frame", "row", "col"), name="effect")


def _difference(scene: Scene, frame: int, movement: str) -> NDArray[np.float32]:
    movements = _by_name(scene.movement[frame])
    with_it = render_face(scene.subject, movements)
    without = render_face(scene.subject, movements | {movement: 0.0})
    return np.asarray(np.abs(with_it.astype(np.float32) - without).mean(axis=-1))


def _by_name(values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(MOVEMENT, values.tolist(), strict=True))


def _read_scene(root: StrPath, name: str) -> tuple[Scene, float]:
    settings = read_settings(root)
    if name not in settings.names:
        raise unknown("subject", name, settings.names)
    return make_scene(settings, settings.names.index(name)), settings.fps
