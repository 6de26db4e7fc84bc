"""The daemon's HTTP side: webhooks in, health and metrics out. Closed unless an address is given."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import anyio
import anyio.to_thread
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from hub.contract import ConfigurationError, Webhook
from hub.daemon.health import faults
from hub.daemon.inbox import LATER, Inbox
from hub.daemon.metrics import Metrics
from hub.engine.world import World

BODY_BYTES = 1 << 20
HEAD_BYTES = 16 << 10
BODY_S = 5.0
ANSWER_S = 2.5  # the less patient of the known senders waits 3 s for an answer
REQUEST_S = 20.0  # from a connection's beginning, or its last answer, until the next answer is read
AT_ONCE, CONNECTIONS = 64, 256  # deliveries being read and heard; connections of all kinds
HEARING = 4
READY_S = 5.0
STOP_S = 3.0
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"

Endpoint = Callable[[Request], Awaitable[Response]]


@contextmanager
def serve_web(
    world_of: Callable[[], World], listen: str, on_hint: Callable[[str], None], metrics: Metrics
) -> Iterator[tuple[str, int]]:
    """Answer over HTTP in a thread of its own; yields the address.

    Args:
        world_of: the World at this moment; a reload makes another.
        listen: HOST:PORT, of which nothing but that is opened; port 0 takes a free one.
        on_hint: is told the Connection that should be visited.

    Raises:
        ConfigurationError: the address cannot be listened on.
    """
    sock = _bound(listen)
    host, port = sock.getsockname()[:2]
    metrics.read_ledger(world_of)
    inbox = Inbox(world_of, on_hint, metrics.webhook, most=HEARING)
    server = uvicorn.Server(_config(_app(world_of, inbox, metrics)))
    _log_of_uvicorn(world_of)
    thread = threading.Thread(target=server.run, args=([sock],), name="web", daemon=True)
    with inbox.noting():
        thread.start()
        while thread.is_alive() and not server.started:
            time.sleep(0.01)
        world_of().log.info("listening", address=f"{host}:{port}")
        try:
            yield host, port
        finally:
            server.should_exit = True
            thread.join(STOP_S)


def _bound(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    try:
        if not host or not 0 <= int(port) <= 65535:
            raise ValueError
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no HOST:PORT"
        raise ConfigurationError(
            "listen-address",
            f"cannot listen on {listen}: {why}",
            where="--listen or HUB_LISTEN",
            do="Give an address of this machine and a free port, such as 127.0.0.1:8080.",
        ) from error


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app, http=_Protocol, ws="none", loop="asyncio", lifespan="off", log_config=None, access_log=False,
        proxy_headers=False, server_header=False, date_header=False, timeout_keep_alive=5,
        h11_max_incomplete_event_size=HEAD_BYTES, timeout_graceful_shutdown=1,
    )  # fmt: skip


class _Protocol(H11Protocol):
    """Cuts off who takes too long over a request or over reading its answer; uvicorn itself would wait for ever."""

    _cut: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._wait_anew()
        if len(self.connections) > CONNECTIONS:
            transport.abort()

    def on_response_complete(self) -> None:
        self._wait_anew()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._cut is not None:
            self._cut.cancel()

    def _wait_anew(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
        self._cut = self.loop.call_later(REQUEST_S, self.transport.abort)


def _app(world_of: Callable[[], World], inbox: Inbox, metrics: Metrics) -> ASGIApp:
    limiters: list[anyio.CapacityLimiter] = []
    at_once = 0

    async def webhooks(request: Request) -> Response:
        nonlocal at_once
        if at_once >= AT_ONCE:  # health and figures answer all the same
            return Response(status_code=LATER, headers={"connection": "close"})
        at_once += 1
        try:
            return await _webhook(request)
        finally:
            at_once -= 1

    async def _webhook(request: Request) -> Response:
        if not limiters:  # it belongs to the loop that runs
            limiters.append(anyio.CapacityLimiter(HEARING))
        try:
            async with asyncio.timeout(BODY_S):
                body = await _body(request)
        except TimeoutError:
            return Response(status_code=408, headers={"connection": "close"})
        if body is None:
            return Response(status_code=413)
        webhook = Webhook(headers=_headers(request), body=body)
        try:
            async with asyncio.timeout(ANSWER_S):
                status = await anyio.to_thread.run_sync(
                    inbox.take, request.path_params["connection"], webhook, abandon_on_cancel=True, limiter=limiters[0]
                )
        except TimeoutError:
            status = LATER
        return Response(status_code=status)

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        try:
            async with asyncio.timeout(READY_S):
                found = await anyio.to_thread.run_sync(faults, world_of(), metrics.pulse, abandon_on_cancel=True)
        except TimeoutError:
            found = [{"code": "database-silent"}]
        return JSONResponse({"ready": not found, "reasons": found}, status_code=503 if found else 200)

    async def figures(request: Request) -> Response:
        text = await anyio.to_thread.run_sync(metrics.text, abandon_on_cancel=True)
        return Response(text, media_type=PROMETHEUS)

    app = Starlette(
        routes=[
            Route("/webhooks/{connection}", webhooks, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", figures),
        ]
    )
    app.router.redirect_slashes = False
    return _limited(app)


def _limited(app: ASGIApp) -> ASGIApp:
    async def limited(scope: Scope, receive: Receive, send: Send) -> None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEAD_BYTES:
            await Response(status_code=431, headers={"connection": "close"})(scope, receive, send)
        else:
            await app(scope, receive, send)

    return limited


async def _body(request: Request) -> bytes | None:
    """Return a request's body; None where it is too large, which is told before it is read, where it says so itself."""
    said = request.headers.get("content-length", "0")
    if not said.isdigit() or int(said) > BODY_BYTES:
        return None
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > BODY_BYTES:
                return None
    except ClientDisconnect:
        return None  # nobody hears the answer
    return bytes(body)


def _headers(request: Request) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in request.headers.items():
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _log_of_uvicorn(world_of: Callable[[], World]) -> None:
    """Lead a fault of this server into the hub's log, by kind and place; what clients do wrong is no news."""

    class Lead(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1] is not None:
                world_of().log.warning("web-broke", error=type(record.exc_info[1]).__name__)

    logger = logging.getLogger("uvicorn")
    logger.handlers, logger.propagate = [Lead(logging.ERROR)], False
    logger.setLevel(logging.ERROR)
