"""Navigation, and what all pages share: which run, which other run, which split."""

import streamlit as st

from affectkit.dashboard import loading
from affectkit.dashboard.choosing import choose
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
run = choose("Run", runs, "run")
if len(runs) > 1:
    choose("Compare with", ["none", *(name for name in runs if name != run)], "compare")
choose("Split", loading.splits(loading.run_named(run)), "split")
page.run()
