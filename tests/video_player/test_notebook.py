"""The player of a notebook, in Chromium with a substitute for the model of the widget."""

import base64
import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import xarray as xr

from affectkit.recording import make_recording
from affectkit.video import write_video
from affectkit.video_player import module, style, widget

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
FRAMES, FPS = 60, 30
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HOST = """async ({code, css, traits, early}) => {
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const values = {...traits, payload: bytes(traits.payload), video: bytes(traits.video)};
  const listeners = {};
  window.model = {
    get: (name) => values[name], set: (name, value) => { values[name] = value; }, save_changes() {},
    on: (name, f) => { listeners[name] = f; }, off: (name) => { delete listeners[name]; },
    change: (name, value) => { values[name] = value; listeners[`change:${name}`](); },
  };
  document.head.append(Object.assign(document.createElement("style"), {textContent: css}));
  const url = URL.createObjectURL(new Blob([code], {type: "text/javascript"}));
  const {render} = (await import(url)).default();
  const el = document.createElement("div");
  window.leave = render({model: window.model, el});
  if (early) window.model.change("frame", early);
  await new Promise((done) => setTimeout(done, 50));
  document.body.append(el);
}"""


def clip(path: Path) -> tuple[xr.Dataset, xr.Dataset]:
    time = np.arange(FRAMES) / FPS
    picture = np.full((48, 64, 3), 200, np.uint8)
    write_video(path, ((float(t), picture) for t in time), fps=FPS)
    values = np.full((FRAMES, 2), 0.25, np.float32)
    attrs = {"recording": "<img src=x onerror='window.hurt = 1'>", "fps": float(FPS), "width": 64,
             "height": 48, "video": str(path)}  # fmt: skip
    recording = make_recording(time, {"annotation": values}, attrs)
    prediction = xr.Dataset({"prediction": recording["annotation"] / 2})
    return recording, prediction


@pytest.fixture
def page(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    shown = widget.player(*clip(tmp_path / "clip.mp4"), frame=20)
    traits = {"url": shown.url, "mime": shown.mime, "notes": shown.notes, "frame": shown.frame}
    for name in ("payload", "video"):
        traits[name] = base64.b64encode(getattr(shown, name)).decode()
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        early = getattr(request, "param", None)
        content = {"code": module(), "css": style(), "traits": traits, "early": early}
        page.evaluate(HOST, content)
        yield page
        browser.close()


def wait_for_frame(page: Any, frame: int) -> None:
    page.wait_for_function(
        f"document.querySelector('.live').textContent.startsWith('Frame {frame},')"
    )


def test_python_sets_and_gets_the_frame(page):
    wait_for_frame(page, 20)
    page.evaluate("model.change('frame', 41)")
    wait_for_frame(page, 41)
    page.locator(".affectkit").press("ArrowRight")
    wait_for_frame(page, 42)
    assert page.evaluate("model.get('frame')") == 42
    assert page.errors == []


@pytest.mark.parametrize("page", [41], indirect=True)
def test_a_frame_set_before_the_video_has_loaded_is_shown(page):
    wait_for_frame(page, 41)
    page.evaluate("model.change('frame', 7)")
    wait_for_frame(page, 7)


def test_colours_are_read_when_the_player_becomes_visible(page):
    wait_for_frame(page, 20)
    raw = np.frombuffer(page.locator(".values canvas").screenshot(), np.uint8)
    blue, green, red = np.moveaxis(cv2.imdecode(raw, cv2.IMREAD_COLOR).astype(int), 2, 0)
    assert ((red > 180) & (green > 60) & (green < 130) & (blue < 60)).sum() > 20
    assert (red > 240).mean() > 0.8


def test_closing_the_player_removes_everything(page):
    wait_for_frame(page, 20)
    page.evaluate("leave()")
    assert page.locator(".affectkit").count() == 0
    assert page.errors == []


def test_html_in_names_is_not_run(page):
    wait_for_frame(page, 20)
    assert page.evaluate("window.hurt") is None
    assert page.locator("img").count() == 0
