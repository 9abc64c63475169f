"""AFEW-VA: short clips from films as single pictures, valence and arousal for each of them.

Layout, below the root:
    01/ ... 12/CLIP/    00000.png 00001.png ... CLIP.json      as its twelve parts unpack
    CLIP/               the same, parts flattened
The JSON file of a clip holds `actor`, `video_id`, and `frames`: for each name of a picture 68
`landmarks` in its pixels, `valence` and `arousal`.

Traps:
- Values are whole numbers from -10 to 10; they are divided by 10 here. Others are refused: a copy
  that was divided already would come out ten times too small.
- A frame's key is the name of its picture, from 0 on; order and count of either prove nothing.
  A picture without key, or a key without picture, stays a frame: NaN, or no picture.
- Frame rates are not handed out. 25 a second is taken, as films have; so time is number / 25.
- There is no official split. The same actor plays in several clips, so clips must be split by
  actor; the name is written in more than one way, with other case and blanks.
- Some copies have `CLIP_cropped` folders beside the clips: left out here.
- Some copies have a part and a flattened copy of it: the flattened one is taken.

Citation: Kossaifi, Tzimiropoulos, Todorovic and Pantic, "AFEW-VA database for valence and arousal
estimation in-the-wild", Image and Vision Computing 65, 2017.
Licence: for academic, non-commercial research, on request.
"""

import json
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.datasets.listing import make_index, not_found, visible
from affectkit.datasets.pictures import bring_pictures
from affectkit.datasets.placing import annotate
from affectkit.errors import AffectkitError, unknown
from affectkit.recording import AFFECT, AXIS, POINTS

FPS = 25.0  # nominal
REACH = 10.0
SOURCE_RANGE = {name: [-REACH, REACH] for name in AFFECT}
DEPTHS = ("", "*/", "*/*/")  # flattened; in parts; in parts in a folder
MIRROR = "_cropped"
ALIGNMENT = "a frame's key is the name of its picture"

Content = dict[str, Any]  # of a JSON file


def index(root: Path) -> pd.DataFrame:
    """List the clips under `root`, one row each, by name; subject = actor, split = "".

    Raises:
        AffectkitError: `root` has no clips.
    """
    found = _find_clips(Path(root))
    if not found:
        raise not_found("AFEW-VA", root, "CLIP/CLIP.json here and in part folders 01 to 12")
    return make_index(_row(found[name]) for name in sorted(found))


def _find_clips(root: Path, name: str = "*") -> dict[str, Path]:
    """The JSON files of clips by name; what lies less deep wins."""
    found: dict[str, Path] = {}
    for depth in DEPTHS:
        for path in visible(root, f"{depth}{name}/{name}.json"):
            if path.stem == path.parent.name and not path.stem.endswith(MIRROR):
                found.setdefault(path.stem, path)
    return found


def _row(path: Path) -> dict[str, Any]:
    return {
        "recording": path.stem,
        "subject": _actor(path),
        "video": str(path.parent),
        "annotation": (str(path),),
        "frames": len(visible(path.parent, "*.png")),
        "fps": FPS,
    }


def _actor(path: Path) -> str:
    """The actor in one way of writing; "" where the file is broken: whoever reads it reports it."""
    try:
        return " ".join(str(_read(path).get("actor", "")).split()).title()
    except AffectkitError:
        return ""


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read a clip: `annotation` (frame, affect), `landmark`, the `box` around it, and `still`.

    Raises:
        AffectkitError: there is no such clip, or its file is not in the format; names the frame.
    """
    root = Path(root)
    path = _find_clips(root, escape(name)).get(name)
    if path is None:
        raise unknown("recording", name, index(root)["recording"])
    labels = {_number(path, key): (key, row) for key, row in _read(path)["frames"].items()}
    pictures = {
        _number(picture, picture.stem): picture for picture in visible(path.parent, "*.png")
    }
    frame = sorted(labels.keys() | pictures.keys())
    values = np.full((len(frame), len(AFFECT)), np.nan)
    landmark = np.full((len(frame), POINTS, len(AXIS)), np.nan, np.float32)
    for place, number in enumerate(frame):
        if number in labels:
            values[place] = _affect(path, *labels[number]) / REACH
            landmark[place] = _landmark(path, *labels[number])
    known = annotate(values, dataset="afew_va", recording=name, frame=frame,
                     source_range=SOURCE_RANGE, alignment=ALIGNMENT)  # fmt: skip
    still = [pictures[number].name if number in pictures else "" for number in frame]
    return bring_pictures(known, still=still, landmark=landmark)


def _read(path: Path) -> Content:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise AffectkitError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("frames"), dict):
        raise AffectkitError(f"{path}: expected an object with 'actor' and 'frames', got another")
    return content


def _number(path: Path, text: str) -> int:
    if not text.strip().isdecimal():
        raise AffectkitError(f"{path}: expected a frame's number as its name, got {text!r}")
    return int(text)


def _affect(path: Path, key: str, row: Any) -> NDArray[np.float64]:  # noqa: ANN401
    values = [row.get(name) if isinstance(row, dict) else None for name in AFFECT]
    if not all(map(_is_allowed, values)):
        raise AffectkitError(
            f"{path}, frame {key!r}: expected valence and arousal as whole numbers from -10 to 10, "
            f"got {values}"
        )
    return np.array(values, np.float64)


def _is_allowed(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int | float) and value in range(-int(REACH), int(REACH) + 1)


def _landmark(path: Path, key: str, row: Content) -> NDArray[np.float32]:
    try:
        points = np.array(row.get("landmarks"), np.float32)
    except (TypeError, ValueError):
        points = np.empty(0, np.float32)
    if points.shape != (POINTS, len(AXIS)) or not np.isfinite(points).all():
        raise AffectkitError(
            f"{path}, frame {key!r}: expected 'landmarks' as {POINTS} pairs of numbers, "
            f"got an array of shape {points.shape}"
        )
    return points
