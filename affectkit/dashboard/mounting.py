"""The player on a page; the frame at rest goes into the URL, so that a link leads to it."""

from typing import Any

import streamlit as st

from affectkit.player import module, style

FRAME = "frame"
OPENED = "opened recording"


def show_player(told: dict[str, Any], notes: dict[str, str], *, frame: int, recording: str) -> None:
    """Mount the player on a recording.

    Args:
        told: addresses and revision, as `loading.offer` gives them.
        notes: what to say where video or saliency is missing.
        frame: number of the frame to open at, unless the URL names one.
        recording: its name; another recording forgets the frame of the one before.
    """
    if st.session_state.get(OPENED, recording) != recording:
        st.query_params.pop(FRAME, None)
    st.session_state[OPENED] = recording
    asked = st.query_params.get(FRAME, "")
    _player(told | {"notes": notes, "frame": int(asked) if asked.isdecimal() else frame})


@st.fragment
def _player(data: dict[str, Any]) -> None:
    mount = st.components.v2.component("affectkit_player", js=module(), css=style())
    key = f"player-{data['revision']}"
    result = mount(data=data, key=key, height="content", on_frame_change=lambda: None)
    if result.frame is not None:
        st.query_params[FRAME] = str(result.frame)
