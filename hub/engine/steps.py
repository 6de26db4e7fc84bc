"""What a lane does beside orders, most urgent first; each step does a little and says whether it did anything.

A step that its Connection does not permit (a missing scope, a call its market does not have) rests alone: orders go on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import timedelta

from hub.contract import AuthorizationError, ConfigurationError, ContractError, HubError, RejectedError
from hub.engine import cancellations, change, channel_stock, done, labels, listing, recheck, returns, ship, stock, tell
from hub.engine.outcome import PAUSE_S, reason_of
from hub.engine.world import Connected, World
from hub.host.work import unhurried
from hub.store import known

Step = Callable[[World, Connected], bool]

CHANNEL: Sequence[tuple[str, Step]] = (
    ("cancellations", cancellations.answer),
    ("shipments", tell.tell),
    ("numbers", labels.learn_numbers),
    ("labels", labels.save_labels),
    ("stock", channel_stock.push),
    ("listings", listing.publish),
    ("open orders", recheck.recheck),
    ("returns", returns.book),
)
ERP_FIRST: Sequence[tuple[str, Step]] = (("changes", change.change),)  # before any new order is sent
ERP: Sequence[tuple[str, Step]] = (
    ("done orders", done.record_done),
    ("shipments", ship.gather),
    ("tracking", labels.write_back),
    ("levels", stock.sweep),
    ("placed orders", recheck.recheck_erp),
)
# Stock and catalogue leave a part of every budget to orders and shipments, whoever's lane makes the calls.
UNHURRIED = frozenset({"stock", "listings", "open orders", "returns", "levels", "placed orders"})


def run_steps(world: World, connected: Connected, steps: Sequence[tuple[str, Step]]) -> bool:
    """Run each step that does not rest; say whether any did something.

    Raises:
        TransientError, AuthorizationError: the whole Connection is away.
    """
    with world.store.read() as tx:
        paused = known.paused(tx)
    now, did = world.clock.now(), False
    for name, step in steps:
        until, _ = paused.get(_key(connected, name), (None, None))
        if until is None or not now < until <= now + timedelta(seconds=PAUSE_S):
            did |= _run(world, connected, name, step, was_paused=until is not None)
    return did


def _run(world: World, connected: Connected, name: str, step: Step, *, was_paused: bool) -> bool:
    try:
        with unhurried() if name in UNHURRIED else nullcontext():
            did = step(world, connected)
    except (RejectedError, ContractError, ConfigurationError, AuthorizationError) as error:
        if not _is_feature(error):
            raise
        with world.store.write() as tx:
            until = world.clock.now() + timedelta(seconds=PAUSE_S)
            known.pause(tx, _key(connected, name), until, reason_of(error))
        if not was_paused:
            world.log.warning("step-paused", connection=connected.id, step=name, code=error.code, what=error.what)
        return False
    if was_paused:
        with world.store.write() as tx:
            known.pause(tx, _key(connected, name), None, None)
        world.log.info("step-back", connection=connected.id, step=name)
    return did


def _is_feature(error: HubError) -> bool:
    """Say whether only this one thing is refused, so that the Connection's other work can go on."""
    return isinstance(error, RejectedError | ContractError) or error.code == "scope-missing"


def _key(connected: Connected, name: str) -> str:
    return f"{connected.id}/{name}"
