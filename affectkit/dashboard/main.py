"""Navigation, and what all pages share: which run, which other run, which split."""

import streamlit as st

from affectkit.dashboard import loading
from affectkit.errors import AffectkitError

st.set_page_config("affectkit", layout="wide", initial_sidebar_state=204)
page = st.navigation(
    {
        "Look": [
            st.Page("views/overview.py", title="Overview", default=True),
            st.Page("views/recording.py", title="Recording"),
        ]
    }
)
try:
    runs = [run.name for run in loading.runs()]
except AffectkitError as error:
    st.error(
        f"{error}. Train one with 'affectkit train', or make a small one with 'affectkit demo'."
    )
    st.stop()
st.sidebar.selectbox("Run", runs, key="run", bind="query-params")
others = [name for name in runs if name != st.session_state["run"]]
if others:
    st.sidebar.selectbox("Compare with", ["none", *others], key="compare", bind="query-params")
splits = loading.splits(loading.run_named(st.session_state["run"]))
st.sidebar.selectbox("Split", splits, key="split", bind="query-params")
page.run()
