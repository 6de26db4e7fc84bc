"""The HTTP client lent to connectors: budget, fresh authentication, safe retries, redaction, dry-run guard."""

from __future__ import annotations

import inspect
import random
import re
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache, partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from hub.contract import LONGEST_WAIT_S, Call, ConfigurationError, HubError, Log, TransientError, is_loopback
from hub.contract.http import Http
from hub.host.budget import Budgets, Permit
from hub.host.clock import HubClock
from hub.host.transport import DEPARTURE, PORTS, Departure, Transport
from hub.host.work import count_call, is_urgent

_Sending = Generator[None, None, httpx.Response]

_ERRNO = re.compile(r"^\[Errno -?\d+\] ")
READ_ATTEMPTS = 4
REFUSED_ATTEMPTS = 4
BACKOFF_S = 0.5
MAX_BACKOFF_S = 20.0
PATIENCE_S = 61.0  # a call waits this long at most; told to wait longer, its connection rests and others go on

_deadline: ContextVar[datetime | None] = ContextVar("send_deadline", default=None)
_may_send: ContextVar[Callable[[], bool] | None] = ContextVar("may_send", default=None)
_at_once: ContextVar[bool] = ContextVar("at_once", default=False)
_renewing: ContextVar[bool] = ContextVar("renewing_tokens", default=False)


@contextmanager
def send_before(deadline: datetime) -> Iterator[None]:
    """Let no write of this context go out after an instant; it is checked just before each send."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


@contextmanager
def send_while(may_send: Callable[[], bool]) -> Iterator[None]:
    """Let writes of this context go out only while this is true; it is asked just before each send."""
    token = _may_send.set(may_send)
    try:
        yield
    finally:
        _may_send.reset(token)


@contextmanager
def renewing_tokens() -> Iterator[None]:
    """Let this context's calls out even in a dry run: they change no order, and their result outlives the rehearsal."""
    token = _renewing.set(True)
    try:
        yield
    finally:
        _renewing.reset(token)


@dataclass(slots=True)
class Guard:
    """Counts calls and, in a dry run, stops every write before it leaves."""

    dry: bool = False
    stop: threading.Event = field(default_factory=threading.Event)  # set: wait for nothing any more
    reads: int = 0
    writes: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_through(self, request: httpx.Request, reads: bool, connection: str) -> None:
        """Count a request; refuse it where it writes and this is a dry run."""
        if not reads and self.dry and not _renewing.get():
            raise ConfigurationError(
                "dry-run-write",
                f"{request.method} {request.url.path} was stopped",
                where=connection,
                do="A dry run sends no write; run without --dry-run.",
            )
        with self.lock:
            if reads:
                self.reads += 1
            else:
                self.writes += 1


class Session(Http):
    """An httpx.Client whose ``send`` keeps the hub's promises; connectors use it like any httpx.Client."""

    def __init__(
        self,
        connection: str,
        *,
        clock: HubClock,
        budgets: Budgets,
        guard: Guard,
        log: Log,
        timeout_s: float,
        trace: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        self._sender = Transport()
        keeps_none = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        super().__init__(
            timeout=timeout_s, transport=self._sender, follow_redirects=False, cookies=keeps_none,
            headers={"Accept-Encoding": "gzip"},
        )  # fmt: skip
        self._connection, self._clock, self._budgets = connection, clock, budgets
        self._guard, self._log, self._trace = guard, log, trace

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request within its budget, authenticated anew on each attempt.

        Raises:
            TransientError: no whole answer came; ``may_have_happened`` is true for a write that was sent.
        """
        return _finished(self._sending(request, options))

    def begin(
        self, request: httpx.Request, *, auth: httpx.Auth | None = None, at_once: bool = False
    ) -> Callable[[], httpx.Response]:
        """See Http. Who does not call for the other half gives the answer up, and its connection with it."""
        sending = self._sending(request, {"auth": auth or httpx.Auth()})
        token = _at_once.set(at_once)
        try:
            given = _next(sending)
        finally:
            _at_once.reset(token)
        return partial(_finished, sending) if given is None else lambda: given

    def _sending(self, request: httpx.Request, options: dict[str, Any]) -> _Sending:
        """Send a request; give way each time it has left."""
        call = request.extensions.get("hub")
        if not isinstance(call, Call):
            call = Call(reads=request.method in ("GET", "HEAD"))
        request.extensions.setdefault("timeout", self.timeout.as_dict())
        if request.url.scheme != "https" and not _is_here(request.url.netloc):
            raise ConfigurationError(
                "plain-http",
                f"refused to speak plain http to {request.url.host}",
                where=self._connection,
                do="Use an https URL in the settings.",
            )
        attempt = 0
        while True:
            attempt += 1
            permit = self._permit(call)
            is_dropped = False
            try:
                self._check_deadline(call, 0.0)
                if not call.reads:
                    # Asked once more by the transport: signing, a renewal of tokens and connecting come between.
                    request.extensions[DEPARTURE] = Departure(partial(self._check_deadline, call, 0.0))
                self._guard.pass_through(request, call.reads, self._connection)
                count_call(call.budget)
                pause = yield from self._attempt(request, call, attempt, options)
            except GeneratorExit:  # nobody waits for its answer any more; perhaps a garbage collector says so
                is_dropped = True
                raise
            finally:
                if permit is not None and is_dropped:
                    permit.is_dropped = True
                elif permit is not None:
                    with suppress(HubError):  # what was sent was sent, whatever becomes of its bookkeeping
                        self._budgets.answered(permit)
            if isinstance(pause, httpx.Response):
                return pause
            self._wait(pause, call)

    def _attempt(
        self, request: httpx.Request, call: Call, attempt: int, options: dict[str, Any]
    ) -> Generator[None, None, httpx.Response | float]:
        began = time.perf_counter() if self._trace else 0.0
        try:
            response = yield from self._exchange(request, options)
        except httpx.RequestError as error:
            self._tell(request, call, None, attempt, began)
            if call.reads and attempt < READ_ATTEMPTS:
                return _backoff(attempt)
            raise self._lost(request, call, error) from error
        self._tell(request, call, response, attempt, began)
        self._remember(request, response, call)
        if response.status_code == 429:
            pause = max(retry_after_s(response, self._clock.now()) or 0.0, _backoff(attempt + 2))
            if call.budget is not None:
                self._budgets.close(call.budget, pause)
            if attempt < REFUSED_ATTEMPTS and pause <= PATIENCE_S:
                return pause
        elif response.status_code >= 500 and call.reads and attempt < READ_ATTEMPTS:
            pause = retry_after_s(response, self._clock.now()) or _backoff(attempt)
            if pause <= PATIENCE_S:
                return pause
        return response

    def _exchange(self, request: httpx.Request, options: dict[str, Any]) -> _Sending:
        """Do what httpx.Client.send does, less cookies, redirects and event hooks, which cost a fifth of a call."""
        auth = options.get("auth")
        if not isinstance(auth, httpx.Auth) or options.get("stream"):
            return super().send(request, **options)
        flow = auth.sync_auth_flow(request)
        try:
            outgoing = next(flow)
            while True:
                sent = self._sender.begin(outgoing)
                try:
                    yield
                except GeneratorExit:  # nobody waits for it any more
                    sent.give_up()
                    raise
                response = sent.answer()
                response.read()
                try:
                    outgoing = flow.send(response)
                except StopIteration:
                    return response
        finally:
            flow.close()

    def _remember(self, request: httpx.Request, response: httpx.Response, call: Call) -> None:
        if call.budget is not None and call.pace is not None:
            with suppress(HubError, ValueError, ArithmeticError):  # the call is behind us, whatever a header says
                self._budgets.learn(call.budget, call.pace(response))

    def _tell(
        self, request: httpx.Request, call: Call, response: httpx.Response | None, attempt: int, began: float
    ) -> None:
        if self._trace is not None:
            departure: Departure | None = request.extensions.get(DEPARTURE)
            details = {
                "connection": self._connection,
                "method": request.method,
                "path": request.url.path,
                "host": request.url.host,
                "status": None if response is None else response.status_code,
                "attempt": attempt,
                "seconds": time.perf_counter() - began,
                "budget": call.budget,
                "window_s": departure.window_s if departure is not None else None,
            }
            self._trace("http", details)

    def _permit(self, call: Call) -> Permit | None:
        if call.budget is None:
            return None
        waited = 0.0
        while True:
            # What waited for a whole window is urgent too: nothing waits for ever behind what never ends.
            urgent = is_urgent() or waited > call.budget.per_s
            got = self._budgets.take(call.budget, urgent=urgent)
            if isinstance(got, Permit):
                return got
            if got > max(PATIENCE_S, call.budget.per_s) + 1:
                raise self._closed(got)
            self._wait(got, call)
            waited += got

    def _closed(self, seconds: float) -> TransientError:
        return TransientError(
            "rate-limited",
            f"the other side lets no call through for {seconds:.0f} s; nothing was sent",
            where=self._connection,
            do="Nothing to do: the hub waits as long.",
            retry_after_s=seconds,
        )

    def _wait(self, seconds: float, call: Call) -> None:
        if _at_once.get():
            raise self._closed(seconds)
        self._check_deadline(call, seconds)
        self._clock.wait(seconds, self._guard.stop)
        if self._guard.stop.is_set():
            raise TransientError(
                "stopping", "the hub is stopping; nothing was sent", where=self._connection, do="Start it again."
            )

    def _check_deadline(self, call: Call, wait_s: float) -> None:
        if call.reads:
            return
        may_send = _may_send.get()
        if may_send is not None and not may_send():
            raise TransientError(
                "lane-lost",
                "another worker may speak for this connection by now; nothing was sent",
                where=self._connection,
                do="Nothing is lost: that one goes on.",
            )
        deadline = _deadline.get()
        if deadline is None:
            return
        if self._clock.now() + timedelta(seconds=wait_s) > deadline:
            raise TransientError(
                "send-window-passed",
                "its turn to send would come too late; nothing was sent",
                where=self._connection,
                do="The hub sends it again by itself.",
                retry_after_s=wait_s,
            )

    def _lost(self, request: httpx.Request, call: Call, error: httpx.RequestError) -> TransientError:
        is_unconnected = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        never_left = is_unconnected or isinstance(error, httpx.LocalProtocolError)
        kind, url = type(error).__name__, request.url
        why = f"{kind}: {_ERRNO.sub('', str(error))}" if is_unconnected and str(error) else kind
        return TransientError(
            "no-answer",
            f"{request.method} {url.path} got no whole answer ({why})",
            where=f"{self._connection}, {url.host}:{url.port or PORTS[url.scheme]}",
            do="The hub tries again by itself; if it lasts, check the network and the other side's status page.",
            may_have_happened=not call.reads and not never_left,
        )


def _next(sending: _Sending) -> httpx.Response | None:
    try:
        next(sending)
    except StopIteration as done:
        response: httpx.Response = done.value
        return response
    return None


def _finished(sending: _Sending) -> httpx.Response:
    if inspect.getgeneratorstate(sending) == inspect.GEN_CLOSED:
        raise RuntimeError("the other half of this call is over")
    while (response := _next(sending)) is None:
        pass
    return response


@lru_cache(maxsize=64)
def _is_here(netloc: bytes) -> bool:
    return is_loopback(f"http://{netloc.decode('ascii')}")


def _backoff(attempt: int) -> float:
    return float(min(MAX_BACKOFF_S, BACKOFF_S * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0))  # noqa: S311  # jitter


def retry_after_s(response: httpx.Response, now: datetime) -> float | None:
    """Return the Retry-After of an answer in seconds, given as seconds or as a date; None where there is none.

    At most ``LONGEST_WAIT_S``: a number that is not meant as it stands must not shut a Connection for years.
    """
    text = response.headers.get("retry-after", "").strip()
    try:
        told = float(text) if _is_number(text) else (parsedate_to_datetime(text) - now).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, told), LONGEST_WAIT_S)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()
