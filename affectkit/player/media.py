"""Video and payload over HTTP, from disk: ids from a catalogue, never a path from the client.

These are faces of participants: a random token a process, no permission for other origins, nothing
kept in the browser's cache, and only requests to this very machine by name (DNS rebinding).
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})
PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
PIECE_LIMIT = 2000  # frames of saliency in one answer


@dataclass(frozen=True)
class Source:
    """Where the parts of one recording come from; the functions are called when asked for."""

    video: Path | None
    payload: Callable[[], bytes]
    saliency: Callable[[int, int], bytes] | None = None


Answer = Callable[[Source, Request], Awaitable[Response]]


@dataclass
class Catalogue:
    """What may be fetched: sources by id, under a token that only this process knows."""

    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    sources: dict[str, Source] = field(default_factory=dict)

    def add(self, name: str, source: Source) -> str:
        """Offer a source under an id made from `name`, replacing the one before; gives the id."""
        identity = sha256(name.encode()).hexdigest()[:24]
        self.sources[identity] = source
        return identity

    def address(self, kind: str, identity: str) -> str:
        """The path of 'media', 'payload' or 'saliency' of a source."""
        return f"/affectkit/{kind}/{self.token}/{identity}"


def routes(catalogue: Catalogue) -> list[Route]:
    """The routes that serve a catalogue; for `st.App(routes=...)` or any Starlette application."""

    def serve(answer: Answer) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            source = _source(catalogue, request)
            return source if isinstance(source, Response) else await answer(source, request)

        return endpoint

    answers: dict[str, Answer] = {"media": _media, "payload": _payload, "saliency": _saliency}
    return [
        Route(f"/affectkit/{kind}/{{token}}/{{id}}", serve(answer))
        for kind, answer in answers.items()
    ]


async def _media(source: Source, request: Request) -> Response:
    if source.video is None or not source.video.is_file():
        return Response(status_code=404)
    return FileResponse(source.video, headers=PRIVATE)


async def _payload(source: Source, request: Request) -> Response:
    return _bytes(await run_in_threadpool(source.payload))


async def _saliency(source: Source, request: Request) -> Response:
    bounds = _bounds(request)
    if source.saliency is None or bounds is None:
        return Response(status_code=404 if bounds else 400)
    return _bytes(await run_in_threadpool(source.saliency, *bounds))


def _source(catalogue: Catalogue, request: Request) -> Source | Response:
    host = request.headers.get("host", "").lower()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    if name not in LOCAL:
        return Response(status_code=403)
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
    return (first, last) if 0 <= first < last <= first + PIECE_LIMIT else None


def _bytes(content: bytes) -> Response:
    return Response(content, media_type="application/octet-stream", headers=PRIVATE)
