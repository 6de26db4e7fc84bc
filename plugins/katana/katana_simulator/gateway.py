"""The way of one call through the gateway: faults, key, quota, route, handler, journal."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from katana_simulator import (
    account,
    customers,
    fulfillments,
    inventory,
    invoices,
    items,
    login,
    order_parts,
    order_rows,
    orders,
    returns,
    search,
    variants,
    webhooks,
)
from katana_simulator.deliveries import Sender
from katana_simulator.exchange import (
    Answer,
    ApiError,
    Request,
    bad_request,
    not_found,
    parse_json,
    server_error,
    to_json,
    too_many,
    unauthorized,
)
from katana_simulator.faults import Fault, Faults
from katana_simulator.journal import Journal
from katana_simulator.limiter import Limiter
from katana_simulator.news import gather
from katana_simulator.world import Handler, World

BASE = "/v1"
_MODULES = (
    account,
    variants,
    items,
    customers,
    orders,
    order_rows,
    order_parts,
    fulfillments,
    inventory,
    search,
    invoices,
    returns,
    webhooks,
)
ROUTES: dict[str, Handler] = {
    name.replace(" /", f" {BASE}/", 1): handler for module in _MODULES for name, handler in module.ROUTES.items()
}


@dataclass(slots=True)
class Reply:
    """Bytes for the wire and what the wire does with them; None instead of a Reply closes the connection."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_cut: bool = False


class Gateway:
    """Answers the calls of the system. Waiting (latency, `slow`) happens outside the lock."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.limiter = Limiter(world.options)
        self.faults = Faults()
        self.url = ""
        self.sender = Sender(world)
        self.journal = Journal(int(float(world.options["journal_size"])))

    def serve(self, request: Request) -> Reply | None:
        latency_ms = float(self.world.options["latency_ms"])
        if latency_ms:
            time.sleep(latency_ms / 1000)
        with self.world.lock:
            fault = self.faults.take(request.method, request.path)
            reply = self._serve(request, fault)
            self.tell()
        if fault is not None and fault.kind == "slow":
            time.sleep(fault.seconds)
        return reply

    def tell(self) -> None:
        """Have subscribers told what has just happened."""
        events = gather(self.world)
        if events:
            self.sender.tell(events, f"{self.url}{BASE}")

    def _serve(self, request: Request, fault: Fault | None) -> Reply | None:
        """Do the call and note it; `lost_reply` loses the answer only after the write.  # K-79"""
        now = self.world.clock.now()
        kind = None if fault is None else fault.kind
        template, handler = _route(request)
        self.journal.counters[template] += 1
        if kind == "drop":
            self._note(now, request, None, kind)
            return None
        answer = self._answer(now, request, kind, handler)
        self._note(now, request, answer, kind)
        if kind == "lost_reply":
            return None
        body = answer.raw if answer.raw is not None else b"" if answer.body is None else to_json(answer.body)
        return Reply(answer.status, answer.headers, body, is_cut=kind == "cut_body")

    def _answer(self, now: float, request: Request, kind: str | None, handler: Handler | None) -> Answer:
        is_login = request.path in login.PATHS  # another host in the real system: no quota, no rate headers
        headers, wait_s = ({}, None) if is_login else self.limiter.take(now)
        wrapped = self.world.options["error_wrapper"] == "wrapped"  # K-11
        if kind == "503":
            html = b"<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"
            return Answer(503, None, {"Content-Type": "text/html"}, raw=html)
        try:
            if kind == "429":
                wait_s = 15 if wait_s is None else wait_s
            if wait_s is not None:
                raise too_many(wait_s)
            if kind == "500":
                raise server_error()
            answer = login.answer(self.world, request) if is_login else self._handle(request, handler)
        except ApiError as error:
            answer = error.answer(wrapped=wrapped)
        answer.headers |= headers
        return answer

    def _handle(self, request: Request, handler: Handler | None) -> Answer:
        options = self.world.options
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        is_key = credential == options["api_key"] and options["key_revoked"] == "no"
        if scheme != "Bearer" or not (is_key or self.world.tokens.accepts(credential)):
            raise unauthorized()  # K-01
        if handler is None:
            raise not_found()
        if request.raw_body:
            try:
                request.body = parse_json(request.raw_body)
            except ValueError:
                raise bad_request() from None
        request.shift_page = self._shifter(request)
        return handler(self.world, request)

    def _shifter(self, request: Request) -> Callable[[], int]:
        return lambda: self.faults.take_shift(request.method, request.path)

    def _note(self, now: float, request: Request, answer: Answer | None, fault: str | None) -> None:
        if self.world.options["journal"] == "off":
            return
        status, wrote = (None, False) if answer is None else (answer.status, answer.wrote)
        self.journal.add(now, request.method, request.path, request.query_text, request.body, status, fault, wrote)


def _route(request: Request) -> tuple[str, Handler | None]:
    """The path template with its handler; a number in one of the last two places becomes the request's id."""
    template = f"{request.method} {request.path}"
    handler = ROUTES.get(template)
    if handler is None:
        parts = template.split("/")
        place = next((place for place in (-1, -2) if len(parts) >= 4 and parts[place].isdecimal()), None)
        if place is not None:
            request.id = int(parts[place])
            parts[place] = "{id}"
            template = "/".join(parts)
            handler = ROUTES.get(template)
    return template, handler
