"""Only the pages of the server itself, in a browser on this machine, are answered."""

from typing import Any

import pytest

pytest.importorskip("starlette")
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from affectkit.dashboard.security import LocalOnly

HOST = "127.0.0.1:8501"
FOREIGN = ["evil.example", "evil.example:8501", "127.0.0.1.evil.org:8501", "127.0.0.1", "localhost",
           "127.0.0.1:8502", "localhost:80", ""]  # fmt: skip


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("names and scores")


async def stream(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("names and scores")
    await websocket.close()


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/", page), WebSocketRoute("/stream", stream)]
    app = Starlette(routes=routes, middleware=[Middleware(LocalOnly)])
    return TestClient(app, base_url=f"http://{HOST}")


def connect(client: TestClient, **headers: str) -> str:
    with client.websocket_connect(f"ws://{HOST}/stream", headers=headers) as socket:
        return socket.receive_text()


@pytest.mark.parametrize("host", [HOST, "localhost:8501", "LOCALHOST:8501"])
def test_local_names_with_the_port_of_the_server_are_answered(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200
    assert connect(client, host=host, origin=f"http://{host.lower()}") == "names and scores"


@pytest.mark.parametrize("host", FOREIGN)
def test_another_host_gets_neither_pages_nor_the_websocket(client, host):
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 403
    assert "names" not in answer.text
    with pytest.raises(WebSocketDisconnect):
        connect(client, host=host, origin=f"http://{host}")


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1:3000", "https://127.0.0.1:8501", "null",
     "http://localhost:8501", "http://127.0.0.1:8501.evil.org"],
)  # fmt: skip
def test_another_origin_gets_neither_pages_nor_the_websocket(client, origin):
    assert client.get("/", headers={"Origin": origin}).status_code == 403
    with pytest.raises(WebSocketDisconnect):
        connect(client, host=HOST, origin=origin)


def test_a_websocket_without_origin_is_refused(client):
    with pytest.raises(WebSocketDisconnect):
        connect(client, host=HOST)


def test_two_host_headers_are_refused(client):
    headers: Any = [("Host", HOST), ("Host", "evil.example")]
    assert client.get("/", headers=headers).status_code == 403


@pytest.mark.parametrize("host", [HOST, "evil.example"])
def test_every_answer_forbids_frames_and_reading_by_other_origins(client, host):
    headers = client.get("/", headers={"Host": host}).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["x-content-type-options"] == "nosniff"
