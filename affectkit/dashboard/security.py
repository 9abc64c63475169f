"""Requests that the server answers: those of its own pages in a browser on this machine.

The pages show names, scores and faces of participants. A web page from elsewhere must not read
them: neither through a name of its own that resolves to this machine (DNS rebinding), nor from
another local port, nor inside a frame.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

HTTP_PORT = 80
LOCAL_NAMES = ("127.0.0.1", "localhost")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class LocalOnly:
    """ASGI middleware that refuses requests from elsewhere, for HTTP and for WebSockets."""

    def __init__(self, app: ASGIApp) -> None:
        """Protect an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403, or pass the request on and add `HEADERS` to its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if scope["type"] == "lifespan" or is_local(scope):
            await self.app(scope, receive, send_with_headers)
        elif scope["type"] == "websocket":
            await WebSocketClose()(scope, receive, send)  # answers 403 before the handshake
        else:
            text = "This server answers requests of its own pages only."
            await PlainTextResponse(text, 403)(scope, receive, send_with_headers)


def is_local(scope: Scope) -> bool:
    """Whether a request has the address of this server as its host and as its origin.

    Browsers send the origin with every WebSocket, and with HTTP requests of other origins.
    """
    headers, port = Headers(scope=scope), scope["server"][1]
    hosts, origins = headers.getlist("host"), headers.getlist("origin")
    known = {f"{name}:{port}" for name in LOCAL_NAMES}
    if port == HTTP_PORT:  # browsers leave it out
        known |= set(LOCAL_NAMES)
    if len(hosts) != 1 or hosts[0].lower() not in known:
        return False
    if scope["type"] == "http" and not origins:
        return True
    return origins == [f"http://{hosts[0].lower()}"]
