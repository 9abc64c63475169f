"""The player in Chromium, with a video whose image and saliency both encode the frame number."""

import base64
import random
import re
import shutil
import socket
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import cv2
import numpy as np
import pytest

from affectkit.dashboard.launch import (
    environment,
    run_server,
    server_command,
    wait_until_ready,
)
from affectkit.video import read_frames

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
BITS, BAR_ROW, SALIENCY_ROW = 8, 0.055, 0.72
PICTURE_AND_NUMBER = """(player) => [
  player.querySelector(".stage canvas").toDataURL(), player.querySelector(".number b").textContent
]"""
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def address(folders_with_video: Any) -> Iterator[str]:
    """The dashboard, with the server command of `launch`."""
    folders = folders_with_video.folders
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with run_server(server_command(port), environment(folders.runs, folders.recordings)):
        assert wait_until_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with playwright.sync_playwright() as started:
        if path is None and not shutil.os.path.exists(started.chromium.executable_path):
            pytest.skip("no Chromium here")
        browser = started.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, address: str) -> Iterator[Any]:
    """The page Recording at frame 20; errors of the browser are in `page.errors`."""
    page = chromium.new_page(viewport={"width": 1440, "height": 1000})
    page.errors, page.messages = [], []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("console", lambda said: said.type == "error" and page.errors.append(said.text))
    page.on("websocket", lambda socket: listen(page, socket))
    page.goto(f"{address}/recording?run=joint&recording=s01&frame=20")
    wait_for_frame(page, 20)
    yield page
    page.close()


def listen(page: Any, socket: Any) -> None:
    socket.on("framesent", lambda _: page.messages.append("sent"))
    socket.on("framereceived", lambda _: page.messages.append("received"))


def wait_for_frame(page: Any, frame: int) -> None:
    """Wait until the player has stopped at the frame."""
    page.get_by_text(re.compile(rf"^Frame {frame},")).wait_for(state="attached", timeout=30_000)


def press(page: Any, *keys: str) -> None:
    player = page.get_by_role("region", name="Player")
    for key in keys:
        player.press(key)


def shown(page: Any, stage: dict[str, float] | None = None) -> tuple[int, int]:
    """Frame numbers encoded in the image and in the saliency, from one screenshot."""
    stage = stage or page.locator(".stage").bounding_box()
    raw = np.frombuffer(page.screenshot(clip=stage, scale="css"), np.uint8)
    image = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    columns = [round((bit + 0.5) * width / BITS) for bit in range(BITS)]
    green = image[:, :, 1].astype(int)
    bar = [green[round(BAR_ROW * height), column] > 128 for column in columns]
    overlay = [green[round(SALIENCY_ROW * height), column] < 150 for column in columns]
    return tuple(sum(int(on) << bit for bit, on in enumerate(row)) for row in (bar, overlay))


def nearest_frame(picture: np.ndarray, frames: np.ndarray) -> int:
    """Number of the decoded frame that is most similar to the picture."""
    small = cv2.resize(picture, (64, 64), interpolation=cv2.INTER_AREA).astype(float)
    others = (cv2.resize(rgb, (64, 64), interpolation=cv2.INTER_AREA) for rgb in frames)
    return int(np.argmin([((small - other) ** 2).mean() for other in others]))


def click_somewhere(page: Any, draws: random.Random) -> None:
    """Seek to a random position in the traces, and wait."""
    series = page.locator(".charts canvas").first
    series.click(position={"x": draws.uniform(45, 680), "y": 60})
    page.wait_for_timeout(350)


@pytest.mark.parametrize(
    "path", ["/", "/recording", "/_stcore/health", "/_stcore/host-config", "/_stcore/stream"]
)
@pytest.mark.parametrize("upgrade", [False, True])
def test_a_foreign_name_gets_nothing(address: str, path: str, upgrade: bool) -> None:
    port = int(address.rpartition(":")[2])
    headers = {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}
    if upgrade:
        headers |= {"Connection": "Upgrade", "Upgrade": "websocket"}
        headers |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": 22 * "A" + "=="}
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=headers)
    assert connection.getresponse().status == 403
    connection.close()


def test_image_and_saliency_show_the_same_frame_while_playing(page: Any) -> None:
    stage = page.locator(".stage").bounding_box()
    press(page, "Home", " ")
    page.wait_for_timeout(500)
    before = len(page.messages)
    pairs = [shown(page, stage) for _ in range(30)]
    messages = len(page.messages) - before
    assert [overlay for _, overlay in pairs] == [picture for picture, _ in pairs]
    assert len({picture for picture, _ in pairs}) > 10
    assert messages == 0
    assert page.errors == []


def test_the_frame_number_is_that_of_the_image_while_playing(
    page: Any, address: str, folders_with_video: Any
) -> None:
    page.goto(f"{address}/recording?run=joint&split=all&recording=synthetic&frame=0")
    wait_for_frame(page, 0)
    size = page.locator(".stage").bounding_box()
    press(page, "b", " ")
    pictures, numbers = [], []
    for _ in range(30):
        page.wait_for_timeout(60)
        url, number = page.locator(".affectkit").evaluate(PICTURE_AND_NUMBER)
        raw = np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8)
        pictures.append(cv2.cvtColor(cv2.imdecode(raw, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))
        numbers.append(int(number))
    frames = np.concatenate([rgb for _, rgb in read_frames(folders_with_video.video)])
    assert len(set(numbers)) > 10
    assert [nearest_frame(picture, frames) for picture in pictures] == numbers
    assert (pictures[0].shape[1], pictures[0].shape[0]) == (size["width"], size["height"])


def test_seeking_shows_the_requested_frame(page: Any) -> None:
    draws = random.Random(7)
    for _ in range(12):
        click_somewhere(page, draws)
        frame = int(page.locator(".number b").inner_text())
        assert shown(page) == (frame, frame)
    assert page.errors == []


def test_seeking_is_exact_with_a_variable_frame_rate_and_a_late_start(
    page: Any, address: str
) -> None:
    page.goto(f"{address}/recording?run=joint&recording=s02&frame=3")
    wait_for_frame(page, 3)
    assert shown(page)[0] == 3
    draws = random.Random(8)
    for _ in range(10):
        click_somewhere(page, draws)
        assert shown(page)[0] == int(page.locator(".number b").inner_text())


def test_keys_step_and_jump_to_first_and_last_frame(page: Any) -> None:
    for keys, frame in (
        (["ArrowRight"], 21),
        (["Shift+ArrowRight"], 31),
        (["ArrowLeft", "ArrowLeft"], 29),
        (["End"], 149),
        (["Shift+ArrowLeft"], 139),
        (["Home"], 0),
    ):
        press(page, *keys)
        wait_for_frame(page, frame)
        assert shown(page) == (frame, frame)


def test_keys_switch_layers(page: Any) -> None:
    press(page, "s")
    assert shown(page) == (20, 0)
    press(page, "s")
    assert shown(page) == (20, 20)
    press(page, "a")
    assert (
        page.get_by_role("button", name="Arousal", exact=True).get_attribute("aria-pressed")
        == "true"
    )
    press(page, "b", "-", ".")
    assert not page.get_by_role("checkbox", name="Box").is_checked()
    assert page.get_by_text("60 %", exact=True).is_visible()
    assert page.get_by_role("button", name="2×").get_attribute("aria-pressed") == "true"
    press(page, " ")
    page.get_by_text("to the nearest frame").wait_for(timeout=5_000)
    press(page, "?")
    assert page.get_by_text("first, last frame").is_visible()


def test_the_frame_is_written_to_the_url_when_the_player_stops(page: Any) -> None:
    press(page, "ArrowRight")
    page.wait_for_url(re.compile(r"frame=21"), timeout=10_000)


def test_the_page_opens_at_the_worst_segment(page: Any, address: str) -> None:
    page.goto(f"{address}/recording?run=joint&recording=s01")
    page.locator(".segments tr.on").wait_for(timeout=30_000)
    assert page.locator(".segments tr.on button").inner_text() == "1"


def test_without_video_and_saliency_the_traces_still_work(page: Any, address: str) -> None:
    page.goto(f"{address}/recording?run=joint&recording=own&split=all")
    page.get_by_text("gone.mp4").wait_for(timeout=30_000)
    assert page.get_by_role("checkbox", name="Saliency").is_disabled()
    assert page.get_by_text(re.compile("Run: affectkit attribute .*joint")).is_visible()
    press(page, "ArrowRight")
    wait_for_frame(page, 1)
    assert page.get_by_text("trained on synthetic data only").is_visible()


def test_selecting_a_recording_opens_its_page(page: Any, address: str) -> None:
    page.goto(f"{address}/?run=joint")
    table = page.get_by_test_id("stDataFrame")
    table.wait_for(timeout=30_000)
    page.wait_for_timeout(1500)
    table.click(position={"x": 40, "y": 44})
    page.wait_for_url(re.compile(r"/recording\?.*recording=s0"), timeout=15_000)
