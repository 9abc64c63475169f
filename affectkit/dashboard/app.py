"""The application: the pages of Streamlit, and the routes that serve videos and player data.

`launch` runs it with `streamlit run`. The process ends when its standard input is closed, which is
so when the process that started it has ended in any way.
"""

import os
import threading
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from streamlit.file_util import get_static_dir

from affectkit.dashboard.security import LocalOnly
from affectkit.video_player.media import CATALOGUE, routes

# Below the page /recording, Streamlit's script first looks for the server below /recording too
SERVER = "<head><script>window.__streamlit = {BACKEND_BASE_URL: location.origin}</script>"


async def recording_page(request: Request) -> HTMLResponse:
    """The page of Streamlit's script, with the address of the server."""
    page = Path(get_static_dir(), "index.html").read_text(encoding="utf-8")
    return HTMLResponse(page.replace("<head>", SERVER, 1), headers={"Cache-Control": "no-cache"})


def end_with_standard_input() -> None:
    """End this process when its standard input is closed."""
    while os.read(0, 1024):
        pass
    os._exit(0)


threading.Thread(target=end_with_standard_input, daemon=True).start()
app = st.App(
    "main.py",
    routes=[*routes(CATALOGUE), Route("/recording", recording_page)],
    middleware=[Middleware(LocalOnly)],
)
