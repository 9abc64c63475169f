from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from affectkit.errors import AffectkitError
from affectkit.video_player.media import Catalogue, MediaSource, routes


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    video = tmp_path / "clip.mp4"
    video.write_bytes(bytes(range(200)))
    return Catalogue(sources={
        "one": MediaSource(video, lambda: b"AFK1", lambda first, last: bytes(last - first), 10),
        "bare": MediaSource(None, lambda: b"AFK1"),
        "gone": MediaSource(tmp_path / "gone.mp4", lambda: b"AFK1"),
    })  # fmt: skip


@pytest.fixture
def client(catalogue: Catalogue) -> TestClient:
    return TestClient(Starlette(routes=routes(catalogue)), base_url="http://127.0.0.1:8501")


def test_the_video_is_served_in_ranges_and_not_cached(client, catalogue):
    answer = client.get(catalogue.address("media", "one"), headers={"Range": "bytes=10-19"})
    assert answer.status_code == 206
    assert answer.content == bytes(range(10, 20))
    assert answer.headers["cache-control"] == "private, no-store"
    assert "access-control-allow-origin" not in answer.headers


def test_the_payload_is_served(client, catalogue):
    answer = client.get(catalogue.address("payload", "one"))
    assert (answer.status_code, answer.content) == (200, b"AFK1")
    assert answer.headers["cache-control"] == "private, no-store"


def test_saliency_is_served_in_chunks(client, catalogue):
    address = catalogue.address("saliency", "one")
    assert len(client.get(f"{address}?from=3&to=10").content) == 7
    for wrong in (
        "",
        "?from=3",
        "?from=x&to=4",
        "?from=5&to=5",
        "?from=-1&to=4",
        "?from=0&to=99999",
    ):
        assert client.get(address + wrong).status_code == 400
    assert client.get(f"{address}?from=3&to=11").status_code == 416
    assert client.get(f"{address}?from=1000&to=1001").status_code == 416


def test_results_that_cannot_be_read_are_an_answer_of_one_line(client, catalogue):
    def fail() -> bytes:
        raise AffectkitError("the prediction is damaged; predict it again")

    catalogue.sources["damaged"] = MediaSource(None, fail)
    answer = client.get(catalogue.address("payload", "damaged"))
    assert answer.status_code == 409
    assert answer.text == "the prediction is damaged; predict it again"


@pytest.mark.parametrize("kind", ["media", "payload", "saliency"])
def test_a_wrong_token_or_id_is_not_found(client, catalogue, kind):
    right = f"{catalogue.address(kind, 'one')}?from=0&to=1"
    assert client.get(right).status_code == 200
    assert client.get(right.replace(catalogue.token, "guess")).status_code == 404
    assert client.get(right.replace("/one", "/two")).status_code == 404
    assert client.get(right.replace("/one", "/..%2Fclip.mp4")).status_code == 404


@pytest.mark.parametrize("name", ["bare", "gone"])
def test_a_missing_video_is_not_found(client, catalogue, name):
    assert client.get(catalogue.address("media", name)).status_code == 404


def test_each_process_has_its_own_token():
    assert Catalogue().token != Catalogue().token
    assert len(Catalogue().token) >= 32


def test_an_id_does_not_contain_the_path():
    catalogue = Catalogue()
    identity = catalogue.add("/home/someone/faces", MediaSource(None, bytes))
    assert identity.isalnum()
    assert catalogue.add("/home/someone/faces", MediaSource(None, bytes)) == identity
