"""Navigation, and the selections that all pages share: run, run to compare with, split."""

from pathlib import Path

import streamlit as st

import affectkit
from affectkit.dashboard import loading, markup
from affectkit.dashboard.widgets import choose, errors_in_one_line
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
    faults = {run.name: loading.fault(run) for run in loading.runs()}
except AffectkitError as error:
    todo = "Train one with 'affectkit train', or make some with 'affectkit demo'."
    st.error(markup.escape_markdown(f"{error}. {todo}"))
    st.stop()
run = choose("Run", list(faults), "run", marked=[name for name in faults if faults[name]])
others = [name for name in faults if name != run and not faults[name]]
if others:
    choose("Compare with", ["none", *others], "compare")
with errors_in_one_line():
    if faults[run]:
        raise AffectkitError(faults[run])
    folder = loading.find_run(run)
    linked = loading.split_of(folder, st.query_params.get("recording", ""))
    choose("Split", loading.splits(folder), "split", default=linked)
    page.run()
st.sidebar.caption(f"affectkit {affectkit.__version__}")
