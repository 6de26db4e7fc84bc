"""What becomes of a hook call: its result, or one of the five errors. The only place that catches everything."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from hub.contract import (
    AuthorizationError,
    ConfigurationError,
    ContractError,
    HubError,
    Page,
    RejectedError,
    TransientError,
)  # fmt: skip
from hub.engine.costs import kind_of
from hub.engine.world import Connected, World
from hub.host.work import Work, counted
from hub.store import Tx, known

T = TypeVar("T")
FIRST_RETRY_S = 5.0
MAX_RETRY_S = 900.0
PAUSE_S = 300.0
BROKE = "connector-broke"  # how a stray exception of a connector is called
RESTS: Mapping[type[HubError], tuple[float, float]] = {
    # How long a Connection, or one step of it, is left alone: at first, and at most; it doubles from time to time.
    TransientError: (FIRST_RETRY_S, 60.0),  # it may be back at any moment, and what waits has waited long by then
    AuthorizationError: (PAUSE_S, PAUSE_S),  # a person must act, and is seen to have acted within minutes
    ConfigurationError: (PAUSE_S, PAUSE_S),
    ContractError: (PAUSE_S, PAUSE_S),
    RejectedError: (PAUSE_S, PAUSE_S),
}
READS = frozenset({
    "check_connection", "check_listing", "fetch_fulfillments", "fetch_orders", "find_orders", "find_variants",
    "list_accounts", "list_carriers", "list_locations", "list_webhooks", "pull_cancellations", "pull_fulfillments",
    "pull_inventory", "pull_orders", "pull_products", "pull_returns", "read_webhook",
})  # fmt: skip

LOCAL = frozenset({"read_webhook"})  # they make no call, and whoever waits for them must not wait for a database


def call(world: World, connected: Connected, hook: str, **arguments: Any) -> Any:
    """Call one hook of one Connection; whatever goes wrong arrives as a HubError."""
    return traced(world, connected.id, hook, arguments, lambda: _answer(world, connected, hook, arguments))


def _answer(world: World, connected: Connected, hook: str, arguments: dict[str, Any]) -> Any:
    if world.stand_in is not None and hook not in READS:
        return world.stand_in(connected, hook, arguments)
    ask = partial(getattr(connected.hooks, hook), **arguments)
    result = _guarded(world, connected, hook, kind_of(hook, arguments), ask, Work(), effects=1)
    if result is None:
        raise _broken(world, connected, hook, TypeError("it answered None"))
    return result


def in_halves(
    world: World, connected: Connected, hook: str, first: str, **arguments: Any
) -> Generator[None, None, Any]:
    """Do what ``call`` does with a hook whose ``first`` half is another; give way between the halves."""
    kind, work = kind_of(hook, arguments), Work()
    with _told(world, connected.id, hook, arguments) as told:
        begin = partial(getattr(connected.hooks, first), **arguments)
        finish = _guarded(world, connected, hook, kind, begin, work, effects=1)
        yield
        told["result"] = result = _guarded(world, connected, hook, kind, finish, work)
        if result is None:
            raise _broken(world, connected, hook, TypeError("it answered None"))
        return result


def pages(world: World, connected: Connected, hook: str, **arguments: Any) -> Generator[Page[Any], None, None]:
    """Read a lazy pull; its errors come while it is read, and arrive as HubErrors too."""
    iterator: Iterator[Page[Any]] = iter(call(world, connected, hook, **arguments))
    kind, work = kind_of(hook, arguments), Work()  # one for all: the next page's call may be under way already

    def read() -> Page[Any] | None:
        page: Page[Any] | None = _guarded(world, connected, hook, kind, partial(next, iterator, None), work)
        return page

    while (page := traced(world, connected.id, hook, {}, read)) is not None:
        yield page


def _guarded(
    world: World, connected: Connected, hook: str, kind: str, ask: Callable[[], T], work: Work, *, effects: int = 0
) -> T:  # fmt: skip
    """Let a connector work: its errors arrive as HubErrors, its calls are counted."""
    is_answered = False
    try:
        with counted(work):
            result = ask()
        is_answered = True
        return result
    except HubError as error:
        error.connection = connected.id
        raise
    except Exception as error:
        raise _broken(world, connected, hook, error) from error
    finally:
        # What was not let out took nothing, and says nothing of what it will take.
        if hook not in LOCAL:
            calls = work.taken()
            world.costs.add(connected.id, kind, calls, effects if is_answered or calls else 0)


def traced(world: World, connection: str, event: str, details: dict[str, Any], work: Callable[[], T]) -> T:
    """Do something and tell of it, before and after, where somebody listens; see ``World.trace``."""
    with _told(world, connection, event, details) as told:
        told["result"] = result = work()
        return result


@contextmanager
def _told(world: World, connection: str, event: str, details: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what to put the ``result`` into that is told."""
    told: dict[str, Any] = {}
    if world.trace is None:
        yield told
        return
    world.trace(event, {"connection": connection, **details})
    began = time.perf_counter()
    try:
        yield told
    except BaseException as error:
        told = {"error": error.code if isinstance(error, HubError) else type(error).__name__}
        raise
    finally:
        world.trace(event, {"connection": connection, **told, "seconds": time.perf_counter() - began})


def attempt(world: World, connected: Connected, step: Callable[[], bool]) -> bool:
    """Do one step for a Connection; a fault of the hub itself rests that Connection and ends nothing else."""
    try:
        return step()
    except HubError:
        raise
    except Exception as error:
        raise _broken(world, connected, "a step of the hub", error) from error


def _broken(world: World, connected: Connected, hook: str, error: Exception) -> ContractError:
    # The message of a stray exception may quote a payload, so only its kind and place are told.
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    place = f"{last.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{last.tb_lineno}" if last else "no traceback"
    world.log.warning("connector-broke", connection=connected.id, hook=hook, error=type(error).__name__, at=place)
    broken = ContractError(
        BROKE,
        f"{hook} of connector {connected.connector} failed with {type(error).__name__} at {place}",
        where=f"{connected.id}, {connected.origin}",
        do=f"Report it to the author of {connected.origin}; the order is kept: hub retry after the update.",
    )
    broken.connection = connected.id
    return broken


def retry_in(attempts: int, retry_after_s: float | None = None) -> timedelta:
    """Return how long to wait before an attempt is repeated: doubling, with jitter, up to a ceiling."""
    seconds = min(MAX_RETRY_S, FIRST_RETRY_S * 2 ** max(0, min(attempts - 1, 10)))
    jittered = seconds * random.uniform(0.75, 1.25)  # noqa: S311  # spreads retries, protects nothing
    return timedelta(seconds=max(jittered, retry_after_s or 0.0))


def pause(world: World, connected: Connected, error: HubError) -> None:
    """Keep a Connection's work and leave it alone for a while; said once when it goes."""
    if rest(world, connected.id, error):
        tell_rest(world, connected.id, reason_of(error))


def tell_resting(world: World) -> None:
    """Say what rests as a process begins, as it would have been said when that went; only news is said from then on."""
    now = world.told_from = world.clock.now()
    with world.store.read() as tx:
        rests = resting(tx, now)
    for name, (_, reason) in rests.items():
        if parts_of(name)[0] in world.connected:
            tell_rest(world, name, reason)


def tell_rest(world: World, name: str, reason: Mapping[str, Any]) -> None:
    """Say that a Connection, or one step of it, rests."""
    connection, step = parts_of(name)
    told = {key: reason.get(key, "") for key in ("code", "what", "where", "do")}
    if step:
        world.log.warning("step-paused", connection=connection, step=step, **told)
    else:
        world.log.warning("connection-paused", connection=connection, **told)


def parts_of(name: str) -> tuple[str, str]:
    """Return whose a rest is: the Connection, and its step ("" where the whole Connection rests)."""
    connection, _, step = name.partition("/")
    return connection, step


def rest(world: World, name: str, error: HubError) -> bool:
    """Leave a Connection, or one step of it, alone: longer each time it fails anew; say whether that is news."""
    with world.store.write() as tx:
        before = known.paused(tx).get(name)
        tries = before[1].get("tries", 1) + 1 if before is not None else 1
        wait = rest_s(error, tries)
        until = world.clock.now() + timedelta(seconds=wait)
        known.pause(tx, name, until, {**reason_of(error), "for_s": wait, "tries": tries})
    if before is None or before[1].get("code") != error.code:
        return True
    return world.told_from is not None and before[0] <= world.told_from  # over before this process could tell of it


def rest_s(error: HubError, tries: int) -> float:
    """Return how long to leave alone what failed that many times in a row: doubling, with jitter, up to a ceiling."""
    first, most = next(times for kind, times in RESTS.items() if isinstance(error, kind))
    wait: float = min(most, first * 2 ** min(tries - 1, 10)) * random.uniform(0.75, 1.0)  # noqa: S311  # spreads retries
    told = error.retry_after_s if isinstance(error, TransientError) else None
    return max(wait, told or 0.0)


def resting(tx: Tx, now: datetime) -> dict[str, tuple[datetime, dict[str, Any]]]:
    """Return the Connections to leave alone for now: until when, and why.

    A pause that has longer to go than it was made for was made before the clock was set back: it is over.
    """
    return {
        id_: (until, reason)
        for id_, (until, reason) in known.paused(tx).items()
        if timedelta() < until - now <= timedelta(seconds=reason.get("for_s", PAUSE_S))
    }


def resume(world: World, connected: Connected) -> None:
    """End a pause, because the other side answered; said once when it returns."""
    with world.store.read() as tx:
        was = connected.id in known.paused(tx)
    if was:
        with world.store.write() as tx:
            known.pause(tx, connected.id, None, None)
        world.log.info("connection-back", connection=connected.id)


def reason_of(error: HubError) -> dict[str, Any]:
    """Return an error as the ledger keeps it."""
    return {"code": error.code, "what": error.what, "where": error.where, "do": error.do}
