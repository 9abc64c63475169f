"""What the player of a page fetches: the video, the data of all frames, and saliency maps."""

from pathlib import Path
from typing import Any

import streamlit as st
import xarray as xr

from affectkit.dashboard import loading
from affectkit.errors import AffectkitError
from affectkit.video import browser_playable
from affectkit.video.stills import stills_to_video, video_stream
from affectkit.video_player import payload
from affectkit.video_player.media import CATALOGUE, MediaSource


@st.cache_data(max_entries=8, show_spinner=False)
def _payload(run: Path, name: str, method: str, state: loading.Stamp) -> bytes:
    recording, prediction = loading.open_results(run, name)
    attribution = loading.open_attribution(run, name, method)
    return payload.payload(recording, prediction, attribution, segments=loading.segments(run, name))


@st.cache_data(max_entries=64, show_spinner=False)
def _saliency_scale(run: Path, name: str, method: str, state: loading.Stamp) -> dict[str, float]:
    attribution = loading.open_attribution(run, name, method)
    return {} if attribution is None else payload.saliency_scale(attribution)


def serve_recording(run: Path, name: str, method: str) -> tuple[dict[str, Any], str]:
    """Add a recording to the catalogue, so that the player can fetch its video and its data.

    Args:
        run: the folder of the run.
        name: of the recording.
        method: of the attribution to show; "" if there is none.

    Returns:
        The addresses and the revision for the player, and why there is no video ("" if there is).
    """
    recording, _ = loading.open_results(run, name)
    state = loading.result_state(run, name, method)
    video, missing = find_video(recording, loading.recording_path(run, name).parent)

    def saliency(first: int, last: int) -> bytes:
        maps = loading.open_attribution(run, name, method)
        scale = _saliency_scale(run, name, method, state)
        return b"" if maps is None else payload.saliency_chunk(maps, first, last, scale=scale)

    source = MediaSource(
        video,
        lambda: _payload(run, name, method, state),
        saliency if method else None,
        recording.sizes["frame"],
    )
    identity = CATALOGUE.add(f"{run.resolve()}/{name}/{method}", source)
    kinds = ("media", "payload", "saliency")
    addresses = {kind: CATALOGUE.address(kind, identity) for kind in kinds}
    if video is None:
        addresses["media"] = ""
    return addresses | {"revision": f"{identity}-{state}"}, missing


def find_video(recording: xr.Dataset, folder: Path) -> tuple[Path | None, str]:
    """The video of a recording in a format that browsers play, or why there is none.

    Args:
        recording: its `video` is read, and `still` if its frames are images in a folder.
        folder: the folder of recordings; converted copies are in its subfolder `playable`.
    """
    path, copies = Path(recording.attrs["video"]), folder / "playable"
    stills = "still" in recording
    try:
        found = next((each for each in (path, folder / path.name) if each.exists()), None)
        if found is None:
            what = "Folder" if stills else "Video"
            return None, f"{what} {path.name} not found at {path}. Scores and traces still work."
        with st.spinner("Converting the video to a format that browsers play"):
            if stills:
                return stills_to_video(recording, copies), ""
            return browser_playable(found, copies, stream=video_stream(recording)), ""
    except (AffectkitError, OSError) as error:
        reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error
        return None, f"{reason}. Scores and traces still work."
