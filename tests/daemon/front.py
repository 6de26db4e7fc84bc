"""The daemon's HTTP side over real sockets, with a connector whose deliveries are easily signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx

from hub.contract import Hint, HintKind, RejectedError, Webhook, hookimpl
from hub.daemon.metrics import Metrics
from hub.daemon.web import serve_web
from hub.engine.world import World
from hub.host.register import plug

KEY = b"the signing secret"


def signature(body: bytes) -> str:
    return hmac.new(KEY, body, hashlib.sha256).hexdigest()


@dataclass
class Signed:
    """Verifies; then waits for ``gate``, so that a test may hold deliveries back."""

    gate: threading.Event = field(default_factory=threading.Event)
    heard: int = 0

    @hookimpl
    def read_webhook(self, delivery: Webhook) -> list[Hint]:
        if not hmac.compare_digest(signature(delivery.body), delivery.headers.get("authorization", "")):
            raise RejectedError("webhook-signature", "a wrong signature", where="shop", do="Look who sends it.")
        self.heard += 1
        self.gate.wait(10)
        return [Hint(kind=HintKind.ORDERS, ref=json.loads(delivery.body)["order"])]


@dataclass
class Front:
    """A running HTTP side."""

    world: World
    address: tuple[str, int]
    metrics: Metrics
    shop: Signed
    woken: list[str]
    http: httpx.Client

    def deliver(self, body: bytes, sign: str | None = None, connection: str = "shop") -> httpx.Response:
        """Deliver a webhook as the other side does."""
        headers = {"Authorization": signature(body) if sign is None else sign}
        return self.http.post(f"/webhooks/{connection}", content=body, headers=headers)

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def raw(self) -> socket.socket:
        """Connect without a client's manners."""
        return socket.create_connection(self.address, timeout=30)


@contextmanager
def front_of(world: World) -> Iterator[Front]:
    """Open the HTTP side of a World whose Connection ``shop`` reads signed deliveries."""
    shop, woken, metrics = Signed(), list[str](), Metrics()
    shop.gate.set()
    world.connected["shop"] = replace(
        world.connected["shop"], hooks=plug(shop), capabilities=frozenset({"read_webhook"})
    )
    with serve_web(lambda: world, "127.0.0.1:0", woken.append, metrics) as address:
        with httpx.Client(base_url=f"http://{address[0]}:{address[1]}", timeout=30) as http:
            yield Front(world, address, metrics, shop, woken, http)
        shop.gate.set()


def closed_within(sock: socket.socket, seconds: float) -> bool:
    """Say whether the other side ends a connection in that time; what it says before is read."""
    sock.settimeout(seconds)
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            if not sock.recv(65536):
                return True
    except TimeoutError:
        return False
    except OSError:
        return True
    return False
