"""The video player in a notebook, as an anywidget.

Saved and exported notebooks cannot play it: they show a picture, a figure of `paper` at the frame.
"""

from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from affectkit.errors import AffectkitError, missing_extra
from affectkit.paper import affect_traces, film_strip
from affectkit.video.stills import stills_to_video
from affectkit.video_player import module, style
from affectkit.video_player.payload import payload
from affectkit.video_player.segments import opening_frame, worst_segments

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise missing_extra("anywidget", "notebooks") from error

LARGEST = 20_000_000  # bytes of a video that is sent inside the messages of the notebook
MIME = {".webm": "video/webm"}
STRIP = (-6, -3, 0, 3, 6)  # frames of the picture, around the current one
DPI = 110  # of the picture


class Player(anywidget.AnyWidget):  # type: ignore[misc]
    """The video player; `frame` is the current frame when it is not playing, and can be set."""

    _esm = module()
    _css = style()
    payload = traitlets.Bytes(b"").tag(sync=True)
    video = traitlets.Bytes(b"").tag(sync=True)
    url = traitlets.Unicode("").tag(sync=True)
    mime = traitlets.Unicode("video/mp4").tag(sync=True)
    notes = traitlets.Dict().tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True)

    def __init__(self, draw: Callable[[int], Figure], **traits: Any) -> None:  # noqa: ANN401
        """Create a player; `draw` draws the picture for saved notebooks at a frame."""
        super().__init__(**traits)
        self._draw = draw

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401
        data, metadata = super()._repr_mimebundle_(**kwargs)
        png = BytesIO()
        self._draw(self.frame).savefig(png, format="png", dpi=DPI)
        return data | {"image/png": b64encode(png.getvalue()).decode()}, metadata


def player(
    recording: xr.Dataset,
    prediction: xr.Dataset,
    attribution: xr.Dataset | None = None,
    *,
    frame: int | None = None,
    video: Path | str | None = None,
) -> Player:
    """Show the video of a recording with its prediction, and with its saliency if given.

    A saved notebook contains a picture of the player, with faces of the participant. The state of
    the widget contains the whole video; leave it out of notebooks that are executed by a program:
    `jupyter nbconvert --execute --ExecutePreprocessor.store_widget_state=False`.

    Args:
        recording: as returned by `open_recording`.
        prediction: `prediction` (frame, affect) on the same frames.
        attribution: `attribution` (affect, frame, row, col) on the same frames.
        frame: number of the first frame to show; by default the middle of the worst segment.
        video: a file, or a URL of a video above 20 MB; by default the video of the recording.

    Raises:
        AffectkitError: the video file is larger than 20 MB.
    """
    segments = worst_segments(recording, prediction)
    block = payload(
        recording, prediction, attribution, segments=segments, whole=recording.sizes["frame"]
    )
    first = opening_frame(recording, segments) if frame is None else frame
    if video is None and "still" in recording:
        with TemporaryDirectory() as folder:
            source = _video(str(stills_to_video(recording, Path(folder))))
    else:
        source = _video(str(video or recording.attrs["video"]))

    def draw(frame: int) -> Figure:
        return _picture(recording, prediction, attribution, frame)

    return Player(draw, payload=block, frame=first, **source)


def _picture(
    recording: xr.Dataset, prediction: xr.Dataset, attribution: xr.Dataset | None, frame: int
) -> Figure:
    """Faces around a frame with their saliency and the trace, or both traces if there is none."""
    if attribution is None or "face" not in recording:
        return affect_traces(recording, prediction)
    numbers = recording["frame"].values
    around = np.abs(numbers - frame).argmin() + np.array(STRIP)
    shown = numbers[np.unique(around.clip(0, len(numbers) - 1))]
    target = str(attribution["affect"].values[0])
    return film_strip(recording, prediction, attribution, shown.tolist(), target=target)


def _video(source: str) -> dict[str, Any]:
    if source.startswith(("http://", "https://", "/files/")):
        return {"url": source}
    path = Path(source)
    if not path.is_file():
        return {
            "notes": {"video": f"Video {path.name} not found at {path}. The traces still work."}
        }
    if path.stat().st_size > LARGEST:
        raise AffectkitError(
            f"{path} has {path.stat().st_size / 1e6:.0f} MB, more than the {LARGEST / 1e6:.0f} MB "
            "that a notebook can contain; give its URL on the Jupyter server as `video`"
        )
    return {"video": path.read_bytes(), "mime": MIME.get(path.suffix, "video/mp4")}
