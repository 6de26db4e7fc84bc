"""What a lane does beside orders, most urgent first; each step does a little and says whether it did anything.

A step that its Connection does not permit (a missing scope, a call its market does not have), or whose answers fail or
cannot be read while other steps work, rests alone: orders go on. Where a second one fails too, the Connection is away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

from hub.contract import (
    AuthorizationError,
    ConfigurationError,
    ContractError,
    HubError,
    RejectedError,
    TransientError,
)  # fmt: skip
from hub.engine import (
    cancellations,
    change,
    channel_stock,
    done,
    labels,
    listing,
    proving,
    recheck,
    returns,
    ship,
    stock,
    tell,
)  # fmt: skip
from hub.engine.outcome import reason_of, rest, resting, tell_rest
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
PROOF: Sequence[tuple[str, Step]] = (("proof", proving.prove),)  # of the daemon only
# Stock and catalogue leave a part of every budget to orders and shipments, whoever's lane makes the calls.
UNHURRIED = frozenset({"stock", "listings", "open orders", "returns", "levels", "placed orders", "proof"})

OF_ALL = frozenset({"lane-lost", "rate-limited", "stopping"})  # whatever else is tried meets the same


def run_steps(world: World, connected: Connected, steps: Sequence[tuple[str, Step]]) -> bool:
    """Run each step that does not rest; say whether any did something.

    Raises:
        TransientError, AuthorizationError: the whole Connection is away.
    """
    with world.store.read() as tx:
        paused, rests = known.paused(tx), resting(tx, world.clock.now())
    did, failed = False, 0
    for name, step in steps:
        key = f"{connected.id}/{name}"
        if key in rests:
            continue
        try:
            did |= _work(world, connected, name, step)
        except HubError as error:
            failed += isinstance(error, TransientError)
            if not is_of_one_step(error) or failed > 1:
                raise
            if rest(world, key, error):
                tell_rest(world, key, reason_of(error))
            continue
        if key in paused:
            with world.store.write() as tx:
                known.pause(tx, key, None, None)
            world.log.info("step-back", connection=connected.id, step=name)
    return did


def _work(world: World, connected: Connected, name: str, step: Step) -> bool:
    with unhurried() if name in UNHURRIED else nullcontext():
        return step(world, connected)


def is_of_one_step(error: HubError) -> bool:
    """Say whether perhaps only this one thing fails, so that the Connection's other work can go on."""
    if isinstance(error, TransientError):
        return error.connection is not None and error.code not in OF_ALL
    if isinstance(error, AuthorizationError | ConfigurationError):
        return error.code == "scope-missing"
    return isinstance(error, RejectedError | ContractError)
