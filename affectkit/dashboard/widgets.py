"""Streamlit widgets of the pages: selections in the sidebar, table columns, the video player."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from affectkit.dashboard.markup import escape_markdown
from affectkit.dashboard.tables import SCORE_COLUMNS
from affectkit.errors import AffectkitError
from affectkit.video_player import module, style

FRAME = "frame"  # key in the URL
SHOWN_RECORDING = "shown recording"  # key in the session state


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Show an error that the user can fix as one line of the page, instead of a traceback."""
    try:
        yield
    except (AffectkitError, OSError) as error:
        st.error(escape_markdown(error))


def choose(
    label: str, options: Sequence[str], key: str, *, default: str = "", marked: Sequence[str] = ()
) -> str:
    """Show a selection in the sidebar and store it in the URL: a link opens the same view.

    The URL always contains the value, also the first option. Streamlit's own binding to the URL
    leaves out a default value: a link to the worst recording would open another recording after
    the next evaluation.

    Args:
        label: text above the selection.
        options: one of them is selected. If a link contains another value, the page says so.
        key: of the URL and of the session state.
        default: the option to select if the URL contains none; by default the first one.
        marked: options that are marked as unreadable.
    """
    linked = None if key in st.session_state else st.query_params.get(key)
    value = st.session_state.get(key, linked)
    if value not in options:
        value = default if default in options else options[0]
    if linked not in (None, value):
        st.warning(escape_markdown(f"{label}: {linked!r} is not here; this is {value!r}."))
    st.session_state[key] = value

    def name(option: str) -> str:
        return f"{option} (unreadable)" if option in marked else option

    chosen = st.sidebar.selectbox(label, options, key=key, format_func=name)
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
        addresses: addresses and revision, as returned by `serving.serve_recording`.
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
