"""AFEW-VA: short clips from films as single pictures, each with valence and arousal.

Layout, below the root:
    01/ ... 12/CLIP/    00000.png 00001.png ... CLIP.json      as the twelve parts unpack
    CLIP/               the same, without the part folders
The JSON file of a clip has `actor`, `video_id` and `frames`. For the name of each picture, `frames`
has 68 `landmarks` in pixels of the picture, `valence` and `arousal`.

Quirks:
- Values are integers from -10 to 10; the loader divides them by 10. Other values are an error,
  since a copy that was already divided would become ten times too small.
- The key of a frame is the name of its picture, from 0. Do not rely on the order or number of keys
  or pictures. A picture without key, or a key without picture, stays a frame: the annotation is
  NaN, or the picture is missing.
- Frame rates are not published. The loader assumes 25 frames per second, as in films; time is
  number / 25.
- There is no official split. The same actor appears in several clips, so split clips by actor. The
  loader normalises case and blanks in the names of actors, which vary.
- Some copies have `CLIP_cropped` folders next to the clips. They are ignored.
- Some copies have a clip both in a part folder and without it. The one without is read.

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

from affectkit.datasets.annotation import add_pictures, make_annotation
from affectkit.datasets.index import make_index, not_found, visible_files
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath
from affectkit.recording import AFFECT, AXIS, POINTS

FPS = 25.0  # nominal
MAX_VALUE = 10.0  # of valence and arousal in the files
SOURCE_RANGE = {name: [-MAX_VALUE, MAX_VALUE] for name in AFFECT}
DEPTHS = ("", "*/", "*/*/")  # without part folders; in them; one level deeper
CROPPED_SUFFIX = "_cropped"
ALIGNMENT = "a frame's key is the name of its picture"

Content = dict[str, Any]  # of a JSON file


def index(root: StrPath) -> pd.DataFrame:
    """List the clips under `root`, one row each, sorted by name. Subjects are actors.

    Raises:
        AffectkitError: `root` has no clips.
    """
    root = Path(root)
    found = _find_clips(root)
    if not found:
        raise not_found("AFEW-VA", root, "CLIP/CLIP.json here or in part folders 01 to 12")
    return make_index(_row(found[name]) for name in sorted(found))


def _find_clips(root: Path, name: str = "*") -> dict[str, Path]:
    """The JSON files of clips by name; for duplicate names, the file with the shorter path."""
    found: dict[str, Path] = {}
    for depth in DEPTHS:
        for path in visible_files(root, f"{depth}{name}/{name}.json"):
            if path.stem == path.parent.name and not path.stem.endswith(CROPPED_SUFFIX):
                found.setdefault(path.stem, path)
    return found


def _row(path: Path) -> dict[str, Any]:
    return {
        "recording": path.stem,
        "subject": _actor(path),
        "video": str(path.parent),
        "annotation": (str(path),),
        "frames": len(visible_files(path.parent, "*.png")),
        "fps": FPS,
    }


def _actor(path: Path) -> str:
    """The normalised name of the actor; "" if the file is broken, reported when it is read."""
    try:
        return " ".join(str(_read(path).get("actor", "")).split()).title()
    except AffectkitError:
        return ""


def annotations(root: StrPath, name: str) -> xr.Dataset:
    """Read a clip: `annotation` (frame, affect), `landmark`, the `box` around it, and `still`.

    Raises:
        AffectkitError: there is no such clip, or its file has another format; names the frame.
    """
    root = Path(root)
    path = _find_clips(root, escape(name)).get(name)
    if path is None:
        raise unknown("recording", name, index(root)["recording"])
    labels = {_number(path, key): (key, row) for key, row in _read(path)["frames"].items()}
    pictures = {
        _number(picture, picture.stem): picture for picture in visible_files(path.parent, "*.png")
    }
    frame = sorted(labels.keys() | pictures.keys())
    values = np.full((len(frame), len(AFFECT)), np.nan)
    landmark = np.full((len(frame), POINTS, len(AXIS)), np.nan, np.float32)
    for position, number in enumerate(frame):
        if number in labels:
            values[position] = _affect(path, *labels[number]) / MAX_VALUE
            landmark[position] = _landmark(path, *labels[number])
    annotation = make_annotation(values, dataset="afew_va", recording=name, frame=frame,
                     source_range=SOURCE_RANGE, alignment=ALIGNMENT)  # fmt: skip
    still = [pictures[number].name if number in pictures else "" for number in frame]
    return add_pictures(annotation, still=still, landmark=landmark)


def _read(path: Path) -> Content:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise AffectkitError(f"{path} cannot be read as JSON: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("frames"), dict):
        raise AffectkitError(f"{path}: expected a JSON object with the keys 'actor' and 'frames'")
    return content


def _number(path: Path, text: str) -> int:
    if not text.strip().isdecimal():
        raise AffectkitError(f"{path}: expected frame numbers as names, got {text!r}")
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
    return isinstance(value, int | float) and value in range(-int(MAX_VALUE), int(MAX_VALUE) + 1)


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
