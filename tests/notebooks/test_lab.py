"""The player in JupyterLab with a kernel: Chromium shows the frame that Python has set."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import jupytext
import pytest

from tests.dashboard.conftest import build
from tests.dashboard.test_browser import OPTIONS, shown

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
CELLS = """# ---
# jupyter:
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---
# %%
import affectkit as ak

run = "runs/joint"
recording = ak.open_recording("recordings/s01.zarr")
attribution = ak.open_attribution(run, "gradient_x_input", "s01")
w = ak.player(recording, ak.open_prediction(run, "s01"), attribution, frame=20)
w
# %%
w.frame = 123
# %%
print("Python gets frame", w.frame)
"""


def wait_for_server(port: int) -> bool:
    """Whether a server listens on the port within a minute."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.2)
    return False


@pytest.fixture
def lab(tmp_path: Path, jupyter: None) -> Iterator[str]:
    """Address of a notebook in a new JupyterLab."""
    folder = tmp_path / "work"
    build(folder)
    jupytext.write(jupytext.reads(CELLS, "py:percent"), folder / "look.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
        f"--port={port}", f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=secret",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    with (tmp_path / "lab.log").open("w") as log:
        server = subprocess.Popen(command, stderr=log, stdout=log)
    try:
        assert wait_for_server(port), (tmp_path / "lab.log").read_text()
        yield f"http://127.0.0.1:{port}/lab/tree/look.ipynb?token=secret"
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def page(lab: str) -> Iterator[Any]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with playwright.sync_playwright() as started:
        if path is None and not os.path.exists(started.chromium.executable_path):
            pytest.skip("no Chromium here")
        browser = started.chromium.launch(executable_path=path, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1400, "height": 1100})
        page.goto(lab)
        yield page
        browser.close()


def wait_for_frame(page: Any, frame: int) -> None:
    page.get_by_text(re.compile(rf"^Frame {frame},")).wait_for(state="attached", timeout=90_000)


def run_first_cell(page: Any) -> None:
    """Try until it runs: before the kernel starts, JupyterLab drops keys or opens a dialog."""
    cell = page.locator(".jp-CodeCell").first
    ran = cell.locator(".jp-InputPrompt").filter(has_text=re.compile(r"\[\d"))
    for _ in range(6):
        with suppress(playwright.TimeoutError):
            for answer in page.locator(".jp-Dialog .jp-mod-accept").all():
                answer.click(timeout=5_000)
            cell.locator(".cm-content").click(timeout=5_000)
            page.keyboard.press("Shift+Enter")
            ran.wait_for(timeout=20_000)
            return
    pytest.fail(f"the first cell does not run: {page.locator('body').inner_text()}")


def test_the_player_shows_the_frame_that_python_has_set(page):
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=90_000)
    run_first_cell(page)
    wait_for_frame(page, 20)
    assert shown(page) == (20, 20)
    page.keyboard.press("Shift+Enter")
    wait_for_frame(page, 123)
    page.locator(".stage").scroll_into_view_if_needed()
    assert shown(page) == (123, 123)
    page.locator(".affectkit").press("ArrowRight")
    wait_for_frame(page, 124)
    page.locator(".jp-CodeCell").last.click()
    page.keyboard.press("Shift+Enter")
    page.get_by_text("Python gets frame 124").wait_for(timeout=30_000)
