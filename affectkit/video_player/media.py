"""HTTP routes for videos and player data. Clients send ids from a catalogue, never paths.

The videos show faces of participants. Therefore each process has a random token, other origins get
no permission, and browsers cache nothing.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from affectkit.errors import AffectkitError

PRIVATE = {"Cache-Control": "private, no-store"}
CHUNK_LIMIT = 2000  # most frames of saliency per request


@dataclass(frozen=True)
class MediaSource:
    """Video and player data of one recording; the functions are called on request."""

    video: Path | None
    payload: Callable[[], bytes]
    saliency: Callable[[int, int], bytes] | None = None
    frames: int = 0  # with saliency


Handler = Callable[[MediaSource, Request], Awaitable[Response]]


@dataclass
class Catalogue:
    """The recordings that may be fetched, by id, under a token that only this process knows."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    sources: dict[str, MediaSource] = field(default_factory=dict)

    def add(self, name: str, source: MediaSource) -> str:
        """Add a source, replacing an older one of the same name; returns its id."""
        identity = sha256(name.encode()).hexdigest()[:24]
        self.sources[identity] = source
        return identity

    def address(self, kind: str, identity: str) -> str:
        """The path of the URL of 'media', 'payload' or 'saliency' of a source."""
        return f"/affectkit/{kind}/{self.token}/{identity}"


CATALOGUE = Catalogue()  # of this process: filled by the pages, read by the routes


def routes(catalogue: Catalogue) -> list[Route]:
    """Routes that serve a catalogue, for `st.App(routes=...)` or any Starlette application."""

    def serve(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            source = _source(catalogue, request)
            return source if isinstance(source, Response) else await handler(source, request)

        return endpoint

    handlers: dict[str, Handler] = {"media": _media, "payload": _payload, "saliency": _saliency}
    return [
        Route(f"/affectkit/{kind}/{{token}}/{{id}}", serve(handler))
        for kind, handler in handlers.items()
    ]


async def _media(source: MediaSource, request: Request) -> Response:
    if source.video is None or not source.video.is_file():
        return Response(status_code=404)
    return FileResponse(source.video, headers=PRIVATE)


async def _payload(source: MediaSource, request: Request) -> Response:
    return await _answer(source.payload)


async def _saliency(source: MediaSource, request: Request) -> Response:
    bounds = _bounds(request)
    if source.saliency is None or bounds is None:
        return Response(status_code=404 if bounds else 400)
    if bounds[1] > source.frames:
        return PlainTextResponse(f"There are {source.frames} frames.", 416, headers=PRIVATE)
    return await _answer(partial(source.saliency, *bounds))


async def _answer(read: Callable[[], bytes]) -> Response:
    try:
        content = await run_in_threadpool(read)
    except AffectkitError as error:
        return PlainTextResponse(str(error), 409, headers=PRIVATE)
    return Response(content, media_type="application/octet-stream", headers=PRIVATE)


def _source(catalogue: Catalogue, request: Request) -> MediaSource | Response:
    token = request.path_params["token"].encode()
    source = catalogue.sources.get(request.path_params["id"])
    if source is None or not secrets.compare_digest(token, catalogue.token.encode()):
        return Response(status_code=404)
    return source


def _bounds(request: Request) -> tuple[int, int] | None:
    try:
        first, last = (int(request.query_params[name]) for name in ("from", "to"))
    except (KeyError, ValueError):
        return None
    return (first, last) if 0 <= first < last <= first + CHUNK_LIMIT else None
