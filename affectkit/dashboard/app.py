"""The application: Streamlit's pages, and the routes that serve video and payload from disk."""

import streamlit as st

from affectkit.dashboard.catalogue import CATALOGUE
from affectkit.player.media import routes

app = st.App("main.py", routes=routes(CATALOGUE))
