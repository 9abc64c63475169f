"""Choices in the sidebar that also stand in the URL, so that a link leads to the same view."""

from collections.abc import Sequence

import streamlit as st


def choose(label: str, options: Sequence[str], key: str) -> str:
    """Let the user choose one of the options; the URL's `key` is where it starts from.

    The widget's own binding to the URL leaves a default value out: a link to the worst recording
    would lead elsewhere after the next evaluation.
    """
    if key not in st.session_state:
        st.session_state[key] = st.query_params.get(key)
    if st.session_state[key] not in options:
        st.session_state[key] = options[0]
    chosen = st.sidebar.selectbox(label, options, key=key)
    if st.query_params.get(key) != chosen:
        st.query_params[key] = chosen
    return chosen
