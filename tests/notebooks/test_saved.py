"""Saved notebooks, exported as HTML and opened in Chromium without a network."""

import os
import shutil
from pathlib import Path
from typing import Any

import jupytext
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter

from affectkit.lab import notebook_sources
from tests.dashboard.conftest import build
from tests.dashboard.test_browser import OPTIONS

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
LARGEST = 8_000_000  # bytes of the file, 4.5 million of them plotly.js
CELLS = """
# %%
import numpy as np
import plotly.express as px
import plotly.io as pio

import affectkit as ak

RENDERER
recording = ak.open_recording("recordings/s01.zarr")
prediction = ak.open_prediction("runs/joint", "s01")
attribution = ak.open_attribution("runs/joint", "gradient_x_input", "s01")
faces = np.full((recording.sizes["frame"], 8, 8, 3), 128, np.uint8)
recording = recording.assign(face=(("frame", "row", "col", "channel"), faces))
px.line(y=[1, 2, 3])
# %%
ak.player(recording, prediction, attribution, frame=20)
# %%
ak.player(recording, prediction, frame=20)
"""


def renderer_line() -> str:
    """The line of the notebooks that makes saved figures visible."""
    lines = {line for source in notebook_sources() for line in source.read_text().splitlines()
             if line.startswith("pio.renderers")}  # fmt: skip
    assert len(lines) == 1
    return lines.pop()


@pytest.fixture
def exported(tmp_path: Path, jupyter: None) -> Path:
    """A notebook with a figure and the player, executed and exported without widget state."""
    build(tmp_path)
    notebook = jupytext.reads(CELLS.replace("RENDERER", renderer_line()), "py:percent")
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, store_widget_state=False, resources=resources).execute()
    path = tmp_path / "saved.html"
    path.write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")
    return path


@pytest.fixture
def page(exported: Path) -> Any:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with playwright.sync_playwright() as started:
        if path is None and not os.path.exists(started.chromium.executable_path):
            pytest.skip("no Chromium here")
        browser = started.chromium.launch(executable_path=path, args=OPTIONS)
        context = browser.new_context(viewport={"width": 1200, "height": 1000})
        context.set_offline(True)
        page = context.new_page()
        page.goto(exported.as_uri())
        yield page
        browser.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of nbconvert's own dependencies
def test_an_exported_notebook_shows_figures_and_a_picture_of_the_player(page, exported):
    figure = page.locator(".plotly-graph-div svg.main-svg").first
    figure.wait_for(timeout=30_000)
    assert figure.bounding_box()["height"] > 100
    pictures = page.locator(".jp-OutputArea-output img")
    assert pictures.count() == 2
    sizes = pictures.evaluate_all("(all) => all.map((one) => [one.width, one.height])")
    assert all(width > 500 and height > 200 for width, height in sizes)
    assert exported.stat().st_size < LARGEST
    if folder := os.environ.get("AFFECTKIT_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/notebook.png", full_page=True)
