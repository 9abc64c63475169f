"""AFEW-VA in parts: each person is the actor of two clips, which are the halves of one scene.

With traps: the actor's name in another case and with stray blanks in the second clip, the last
person's clips flattened, a `_cropped` copy, hidden files, a picture without key, a key without
picture, and a byte order mark before the JSON.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from affectkit.datasets import afew_va
from affectkit.datasets.afew_va import ALIGNMENT, REACH, SOURCE_RANGE
from affectkit.datasets.pictures import bring_pictures
from affectkit.datasets.placing import annotate
from affectkit.datasets.synthetic.film import film
from affectkit.datasets.synthetic.layouts.layout import Layout
from affectkit.datasets.synthetic.pictures import true_landmarks, write_picture
from affectkit.datasets.synthetic.plan import Plan, Scene, make_scene
from affectkit.files import write_text
from affectkit.recording import AFFECT

DECIMALS = 1  # of the landmarks
CLIPS_A_PART = 50
KEYLESS, PICTURELESS = 1, 2  # frames of the traps


def clips(plan: Plan, number: int) -> dict[str, range]:
    """The frames of a person's scene that each clip shows; one clip where one frame is all."""
    half = plan.frames // 2
    halves = [range(half), range(half, plan.frames)]
    return {f"{2 * number + nth:03d}": frames for nth, frames in enumerate(halves, 1) if frames}


def write(root: Path, plan: Plan, number: int) -> None:
    """Write one person's clips, each with its JSON file last: a clip that has it is complete."""
    labels = {
        _folder(root, plan, number, clip) / f"{clip}.json": frames
        for clip, frames in clips(plan, number).items()
    }
    if all(path.is_file() for path in labels):
        return
    scene = make_scene(plan, number)
    pictures = [rgb for _, rgb in film(scene, plan.fps)]
    for path, frames in labels.items():
        for place, frame in enumerate(frames):
            if not (plan.traps and place == PICTURELESS):
                write_picture(path.with_name(f"{place:05d}.png"), pictures[frame])
        if plan.traps:
            mirror = path.parent.with_name(f"{path.stem}_cropped")
            write_text(mirror / f"{mirror.name}.json", "{}")
            write_text(path.with_name(".DS_Store"), "")
        content = json.dumps(_content(plan, number, scene, path.stem, frames))
        write_text(path, "\ufeff" * plan.traps + content)


def _folder(root: Path, plan: Plan, number: int, clip: str) -> Path:
    if plan.traps and number == len(plan.names) - 1:
        return root / clip
    return root / f"{int(clip) // CLIPS_A_PART + 1:02d}" / clip


def _content(plan: Plan, number: int, scene: Scene, clip: str, frames: range) -> dict[str, Any]:
    values, points = _values(scene), true_landmarks(scene, DECIMALS)
    shouted = plan.traps and clip == list(clips(plan, number))[-1]
    rows = {
        f"{place:05d}": {
            "landmarks": points[frame].tolist(),
            **dict(zip(AFFECT, values[frame].tolist(), strict=True)),
        }
        for place, frame in enumerate(frames)
        if not (plan.traps and place == KEYLESS)
    }
    actor = _actor(number)
    actor = f"  {actor.upper().replace(' ', '  ')} " if shouted else actor
    return {"actor": actor, "video_id": clip, "frames": rows}


def _actor(number: int) -> str:
    return f"Person {number:03d}"


def _values(scene: Scene) -> np.ndarray:
    """The mean of the raters as whole numbers; this dataset leaves no frame out."""
    return np.asarray((scene.rating.mean(axis=0) * REACH).round().astype(int))


def written(plan: Plan, number: int) -> dict[str, xr.Dataset]:
    """The mean of the raters, rounded as in the file, and the true landmarks."""
    scene = make_scene(plan, number)
    values, points = _values(scene) / REACH, true_landmarks(scene, DECIMALS)
    return {
        clip: _known(plan, clip, values[frames.start : frames.stop], points[frames.start :])
        for clip, frames in clips(plan, number).items()
    }


def _known(plan: Plan, clip: str, values: np.ndarray, points: np.ndarray) -> xr.Dataset:
    place = np.arange(len(values))
    keyless = plan.traps & (place == KEYLESS)
    known = annotate(np.where(keyless[:, None], np.nan, values), dataset="synthetic",
                     recording=clip, source_range=SOURCE_RANGE, alignment=ALIGNMENT)  # fmt: skip
    landmark = np.where(keyless[:, None, None], np.nan, points[: len(place)]).astype(np.float32)
    still = ["" if plan.traps and p == PICTURELESS else f"{p:05d}.png" for p in place]
    return bring_pictures(known, still=still, landmark=landmark)


LAYOUT = Layout(afew_va.index, afew_va.annotations, write, written)
