"""The player in a notebook, as an anywidget."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xarray as xr

from affectkit.errors import AffectkitError, missing_extra
from affectkit.player import module, style
from affectkit.player.payload import payload
from affectkit.player.segments import opening_frame, worst_segments
from affectkit.video.stills import film

try:
    import anywidget
    import traitlets
except ImportError as error:
    raise missing_extra("anywidget", "notebooks") from error

LARGEST = 20_000_000  # bytes of video that travel inside the notebook's messages
MIME = {".webm": "video/webm"}


class Player(anywidget.AnyWidget):  # type: ignore[misc]
    """The player; `frame` follows the frame shown at rest, and setting it seeks."""

    _esm = module()
    _css = style()
    payload = traitlets.Bytes(b"").tag(sync=True)
    video = traitlets.Bytes(b"").tag(sync=True)
    url = traitlets.Unicode("").tag(sync=True)
    mime = traitlets.Unicode("video/mp4").tag(sync=True)
    notes = traitlets.Dict().tag(sync=True)
    frame = traitlets.Int(0).tag(sync=True)


def player(
    recording: xr.Dataset,
    prediction: xr.Dataset,
    attribution: xr.Dataset | None = None,
    *,
    frame: int | None = None,
    video: Path | str | None = None,
) -> Player:
    """Show a recording with its prediction, and its saliency if there is one.

    The saved notebook stays small without the widget's state, which holds the video:
    `jupyter nbconvert --execute --ClearMetadataPreprocessor.enabled=True`, or nbclient's
    `store_widget_state=False`.

    Args:
        recording: as `open_recording` gives it.
        prediction: `prediction` (frame, affect) on the same frames.
        attribution: `attribution` (affect, frame, row, col) on the same frames.
        frame: number of the frame to open at; the middle of the worst segment by default.
        video: a file, or a URL for a video above 20 MB; the recording's own by default.

    Raises:
        AffectkitError: the video is too large to travel with the notebook.
    """
    segments = worst_segments(recording, prediction)
    block = payload(
        recording, prediction, attribution, segments=segments, whole=recording.sizes["frame"]
    )
    first = opening_frame(recording, segments) if frame is None else frame
    if video is None and "still" in recording:
        with TemporaryDirectory() as folder:
            source = _video(str(film(recording, Path(folder))))
    else:
        source = _video(str(video or recording.attrs["video"]))
    return Player(payload=block, frame=first, **source)


def _video(source: str) -> dict[str, Any]:
    if source.startswith(("http://", "https://", "/files/")):
        return {"url": source}
    path = Path(source)
    if not path.is_file():
        return {"notes": {"video": f"Video {path.name} is not there. The lines still work."}}
    if path.stat().st_size > LARGEST:
        raise AffectkitError(
            f"{path} has {path.stat().st_size / 1e6:.0f} MB, more than the {LARGEST / 1e6:.0f} MB "
            "that travel with a notebook; give its URL under the Jupyter server as `video`"
        )
    return {"video": path.read_bytes(), "mime": MIME.get(path.suffix, "video/mp4")}
