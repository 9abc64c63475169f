"""Streamlit widgets of the pages: selections in the sidebar, table columns, the video player."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from affectkit.dashboard.tables import SCORE_COLUMNS
from affectkit.video_player import module, style

FRAME = "frame"  # key in the URL
SHOWN_RECORDING = "shown recording"  # key in the session state


def choose(label: str, options: Sequence[str], key: str) -> str:
    """Show a selection in the sidebar and store it in the URL: a link opens the same view.

    The URL always contains the value, also the first option. Streamlit's own binding to the URL
    leaves out a default value: a link to the worst recording would open another recording after
    the next evaluation.

    Args:
        label: text above the selection.
        options: the first one is selected if the URL names none of them.
        key: of the URL and of the session state.
    """
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(key)
    if st.session_state[key] not in options:
        st.session_state[key] = options[0]
    chosen = st.sidebar.selectbox(label, options, key=key)
    if st.query_params.get(key) != chosen:
        st.query_params[key] = chosen
    return chosen


def table_columns() -> dict[str, Any]:
    """Streamlit's configuration of the columns of the overview table."""
    scores = {
        name: st.column_config.NumberColumn(format="%.3f", help=f"{metric.upper()} of {affect}")
        for name, (metric, affect) in SCORE_COLUMNS.items()
    }
    return scores | {
        "recording": st.column_config.TextColumn(width=100),
        "subject": st.column_config.TextColumn(width=80),
        "frames": st.column_config.NumberColumn(format="localized"),
        "no face %": st.column_config.NumberColumn(format="%.1f", help="Frames without a face"),
        "error over time": st.column_config.LineChartColumn(
            y_min=0, color="grey", width=150, help="Distance of prediction and annotation"
        ),
    }


def show_player(
    addresses: dict[str, Any], messages: dict[str, str], *, frame: int, recording: str
) -> None:
    """Show the player; the current frame is written to the URL when the player stops.

    Args:
        addresses: addresses and revision, as returned by `loading.serve_recording`.
        messages: texts to show if the video or the saliency is missing.
        frame: number of the first frame to show, unless the URL contains one.
        recording: name of the recording; another name removes the frame from the URL.
    """
    if st.session_state.get(SHOWN_RECORDING, recording) != recording:
        st.query_params.pop(FRAME, None)
    st.session_state[SHOWN_RECORDING] = recording
    text = st.query_params.get(FRAME, "")
    _player(addresses | {"notes": messages, "frame": int(text) if text.isdecimal() else frame})


@st.fragment
def _player(data: dict[str, Any]) -> None:
    mount = st.components.v2.component("affectkit_player", js=module(), css=style())
    key = f"player-{data['revision']}"
    result = mount(data=data, key=key, height="content", on_frame_change=lambda: None)
    if result.frame is not None:
        st.query_params[FRAME] = str(result.frame)
