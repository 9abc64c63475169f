"""The application: the pages of Streamlit, and the routes that serve videos and player data."""

import streamlit as st

from affectkit.video_player.media import CATALOGUE, routes

app = st.App("main.py", routes=routes(CATALOGUE))
