"""AFEW-VA in part folders: each subject is the actor of two clips, the halves of one scene.

With quirks: the actor's name in another case and with extra blanks in the second clip, the clips of
the last subject without part folder, a `_cropped` copy, hidden files, a picture without key, a key
without picture, and a byte order mark before the JSON.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from affectkit.datasets import afew_va
from affectkit.datasets.afew_va import ALIGNMENT, MAX_VALUE, SOURCE_RANGE
from affectkit.datasets.annotation import add_pictures, make_annotation
from affectkit.datasets.synthetic.layouts.layout import Layout, true_landmarks, write_picture
from affectkit.datasets.synthetic.rendering import render_video
from affectkit.datasets.synthetic.scene import Scene, Settings, make_scene
from affectkit.files import write_text
from affectkit.recording import AFFECT

DECIMALS = 1  # of the landmarks
CLIPS_A_PART = 50
KEYLESS, PICTURELESS = 1, 2  # frames, with quirks


def clips(settings: Settings, number: int) -> dict[str, range]:
    """The frames of the subject's scene in each clip; one clip if there is only one frame."""
    half = settings.frames // 2
    halves = [range(half), range(half, settings.frames)]
    return {f"{2 * number + nth:03d}": frames for nth, frames in enumerate(halves, 1) if frames}


def write(root: Path, settings: Settings, number: int) -> None:
    """Write the clips of one subject, each with its JSON file last: then it is complete."""
    labels = {
        _folder(root, settings, number, clip) / f"{clip}.json": frames
        for clip, frames in clips(settings, number).items()
    }
    if all(path.is_file() for path in labels):
        return
    scene = make_scene(settings, number)
    pictures = [rgb for _, rgb in render_video(scene, settings.fps)]
    for path, frames in labels.items():
        for position, frame in enumerate(frames):
            if not (settings.quirks and position == PICTURELESS):
                write_picture(path.with_name(f"{position:05d}.png"), pictures[frame])
        if settings.quirks:
            cropped = path.parent.with_name(f"{path.stem}_cropped")
            write_text(cropped / f"{cropped.name}.json", "{}")
            write_text(path.with_name(".DS_Store"), "")
        content = json.dumps(_content(settings, number, scene, path.stem, frames))
        write_text(path, "\ufeff" * settings.quirks + content)


def _folder(root: Path, settings: Settings, number: int, clip: str) -> Path:
    if settings.quirks and number == len(settings.names) - 1:
        return root / clip
    return root / f"{int(clip) // CLIPS_A_PART + 1:02d}" / clip


def _content(
    settings: Settings, number: int, scene: Scene, clip: str, frames: range
) -> dict[str, Any]:
    values, points = _values(scene), true_landmarks(scene, DECIMALS)
    upper_case = settings.quirks and clip == list(clips(settings, number))[-1]
    rows = {
        f"{position:05d}": {
            "landmarks": points[frame].tolist(),
            **dict(zip(AFFECT, values[frame].tolist(), strict=True)),
        }
        for position, frame in enumerate(frames)
        if not (settings.quirks and position == KEYLESS)
    }
    actor = _actor(number)
    actor = f"  {actor.upper().replace(' ', '  ')} " if upper_case else actor
    return {"actor": actor, "video_id": clip, "frames": rows}


def _actor(number: int) -> str:
    return f"Person {number:03d}"


def _values(scene: Scene) -> np.ndarray:
    """The mean of the raters as integers; this dataset annotates every frame."""
    return np.asarray((scene.rating.mean(axis=0) * MAX_VALUE).round().astype(int))


def expected(settings: Settings, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file, and the true landmarks."""
    scene = make_scene(settings, number)
    values, points = _values(scene) / MAX_VALUE, true_landmarks(scene, DECIMALS)
    return {
        clip: _expected(settings, clip, values[frames.start : frames.stop], points[frames.start :])
        for clip, frames in clips(settings, number).items()
    }


def _expected(settings: Settings, clip: str, values: np.ndarray, points: np.ndarray) -> xr.Dataset:
    position = np.arange(len(values))
    keyless = settings.quirks & (position == KEYLESS)
    annotation = make_annotation(np.where(keyless[:, None], np.nan, values), dataset="synthetic",
                     recording=clip, source_range=SOURCE_RANGE, alignment=ALIGNMENT)  # fmt: skip
    landmark = np.where(keyless[:, None, None], np.nan, points[: len(position)]).astype(np.float32)
    still = ["" if settings.quirks and p == PICTURELESS else f"{p:05d}.png" for p in position]
    return add_pictures(annotation, still=still, landmark=landmark)


LAYOUT = Layout(afew_va.index, afew_va.annotations, write, expected)
