"""The video player in a notebook, as an anywidget."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import xarray as xr

from affectkit.errors import AffectkitError, missing_extra
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


def player(
    recording: xr.Dataset,
    prediction: xr.Dataset,
    attribution: xr.Dataset | None = None,
    *,
    frame: int | None = None,
    video: Path | str | None = None,
) -> Player:
    """Show the video of a recording with its prediction, and with its saliency if given.

    The state of the widget contains the video. To save a small notebook, leave the state out:
    `jupyter nbconvert --execute --ClearMetadataPreprocessor.enabled=True`, or in nbclient
    `store_widget_state=False`.

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
    return Player(payload=block, frame=first, **source)


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
