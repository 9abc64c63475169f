"""Navigation, and the selections that all pages share: run, run to compare with, split."""

from pathlib import Path

import streamlit as st

import affectkit
from affectkit.dashboard import loading, markup
from affectkit.dashboard.widgets import choose
from affectkit.errors import AffectkitError

st.set_page_config("affectkit", layout="wide", initial_sidebar_state=204)
st.logo(str(Path(__file__).with_name("logo.svg")))
page = st.navigation(
    {
        "Pages": [
            st.Page("views/overview.py", title="Overview", default=True),
            st.Page("views/recording.py", title="Recording"),
        ]
    }
)
try:
    runs = [run.name for run in loading.runs()]
except AffectkitError as error:
    todo = "Train one with 'affectkit train', or make some with 'affectkit demo'."
    st.error(markup.escape_markdown(f"{error}. {todo}"))
    st.stop()
run = choose("Run", runs, "run")
if len(runs) > 1:
    choose("Compare with", ["none", *(name for name in runs if name != run)], "compare")
choose("Split", loading.splits(loading.find_run(run)), "split")
page.run()
st.sidebar.caption(f"affectkit {affectkit.__version__}")
