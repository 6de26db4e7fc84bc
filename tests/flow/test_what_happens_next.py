"""Each class of error has one consequence, wherever a connector raises it; docs/errors.md has the same table."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from hub.contract import (
    AuthorizationError,
    ConfigurationError,
    ContractError,
    HubError,
    RejectedError,
    TransientError,
)  # fmt: skip
from hub.engine import steps
from hub.engine.lane import visit
from hub.engine.outcome import RESTS, rest_s, resting
from hub.engine.progress import Progress
from hub.engine.world import World
from hub.store import known
from tests.flow.conftest import SiteMaker
from tests.site import HOUR, NOON, Site

CLASSES = [TransientError, AuthorizationError, ConfigurationError, RejectedError, ContractError, KeyError]
STOCKED = """\
  - name: us
    channel: shop
    erp: factory
    fulfillments: {enabled: false}
    orders: {start: 2026-03-01}
    inventory: {buffer: {units: 2}}
"""


class Failing:
    """A connector's hooks, some of which raise."""

    def __init__(self, hooks: Any, errors: dict[str, Exception]) -> None:
        self._hooks, self._errors = hooks, errors

    def __getattr__(self, hook: str) -> Any:
        if hook in self._errors:

            def fail(**arguments: Any) -> Any:
                raise self._errors[hook]

            return fail
        return getattr(self._hooks, hook)


def error_of(kind: type[Exception], code: str = "for-a-test") -> Exception:
    if issubclass(kind, HubError):
        return kind(code, "it went wrong", where="a test", do="Nothing.")
    return kind("a stray one")


def fail(world: World, connection: str, **errors: Exception) -> None:
    """Have hooks of a Connection raise from now on; with none, work again."""
    connected = world.connected[connection]
    hooks = getattr(connected.hooks, "_hooks", connected.hooks)
    world.connected[connection] = replace(connected, hooks=Failing(hooks, errors))


def look(world: World, connection: str) -> None:
    visit(world, Progress(), threading.Event(), connection)


def rests(world: World) -> dict[str, float]:
    """Return who rests, and for how many seconds."""
    with world.store.read() as tx:
        now = world.clock.now()
        return {name: (until - now).total_seconds() for name, (until, _) in resting(tx, now).items()}


@pytest.mark.parametrize("kind", CLASSES)
def test_what_fails_for_one_order(site: Site, kind: type[Exception]) -> None:
    """Transient: it waits. Rejected, or a broken promise: this order is blocked. Else the ERP rests, all is kept."""
    ref = site.order()
    site.sync()
    site.advance(2 * HOUR)
    world = site.open()
    look(world, "shop")
    fail(world, "factory", push_order=error_of(kind))
    look(world, "factory")
    if kind in (RejectedError, ContractError, KeyError):
        assert site.fate(ref)[0] == "blocked"
        assert rests(world) == {}
    else:
        assert site.fate(ref) == ("ready", None)
        effect = site.effects(ref)[0]
        assert effect.state == "pending"
        assert ("factory" in rests(world)) == (kind is not TransientError)
    assert site.sales_orders() == []


@pytest.mark.parametrize("kind", CLASSES)
def test_what_fails_for_a_whole_connection(site: Site, kind: type[Exception]) -> None:
    """The connection rests with its work kept, said once; the other one works on; it returns by itself, said once."""
    world = site.open()
    site.order()
    fail(world, "shop", pull_orders=error_of(kind))
    with capture_logs() as log:
        look(world, "shop")
        rested = rests(world)
        assert list(rested) == ["shop"]
        first, _ = RESTS[kind if issubclass(kind, HubError) else ContractError]
        assert 0.7 * first <= rested["shop"] <= first
        site.advance(301)
        world.clock.close()
        world = site.world = site.open()
        fail(world, "shop", pull_orders=error_of(kind))
        look(world, "shop")
        site.advance(301)
        world = site.open()
        look(world, "shop")
    assert [entry["event"] for entry in log if entry["event"].startswith("connection")] == [
        "connection-paused",
        "connection-back",
    ]
    assert site.fates() == {"held": 1}


@pytest.mark.parametrize("kind", CLASSES)
def test_what_fails_for_one_step_beside_orders(make_site: SiteMaker, kind: type[Exception]) -> None:
    """That step rests alone and orders go on, save where a person must act for the whole connection."""
    site = make_site(routes=STOCKED)
    ref = site.order()
    site.sync()
    site.advance(2 * HOUR)
    world = site.open()
    fail(world, "factory", pull_inventory=error_of(kind))
    with capture_logs() as log:
        look(world, "shop")
        look(world, "factory")
    assert site.fate(ref) == ("placed", None)
    of_all = kind in (AuthorizationError, ConfigurationError)
    assert list(rests(world)) == ["factory" if of_all else "factory/levels"]
    paused = [entry["event"] for entry in log if entry["event"].endswith("-paused")]
    assert paused == ["connection-paused" if of_all else "step-paused"]


def test_missing_scope_rests_only_the_step_that_lacks_it(make_site: SiteMaker) -> None:
    site = make_site(routes=STOCKED)
    world = site.open()
    fail(world, "factory", pull_inventory=error_of(AuthorizationError, "scope-missing"))
    look(world, "factory")
    assert list(rests(world)) == ["factory/levels"]


def test_two_steps_that_fail_in_a_row_mean_that_the_connection_is_away(site: Site) -> None:
    world = site.open()
    away = error_of(TransientError)
    assert isinstance(away, HubError)
    away.connection = "factory"

    def step(world: World, connected: Any) -> bool:
        raise away

    tried: list[str] = []

    def third(world: World, connected: Any) -> bool:
        tried.append("third")
        return True

    with pytest.raises(TransientError):
        steps.run_steps(world, world.connected["factory"], [("one", step), ("two", step), ("three", third)])
    assert tried == []
    assert list(rests(world)) == ["factory/one"]
    assert steps.run_steps(world, world.connected["factory"], [("one", step), ("three", third)])
    assert tried == ["third"]


@given(st.integers(1, 60), st.one_of(st.none(), st.floats(0, 4000)))
def test_rests_grow_up_to_a_ceiling_and_last_as_long_as_told(tries: int, told: float | None) -> None:
    for kind, (first, most) in RESTS.items():
        error = error_of(kind)
        if isinstance(error, TransientError):
            error.retry_after_s = told
        wait = rest_s(error, tries)  # type: ignore[arg-type]  # every kind is a HubError
        least = told or 0.0 if kind is TransientError else 0.0
        assert max(0.75 * min(first, most), least) <= wait <= max(most, least)
        assert wait >= min(0.75 * most, 0.75 * first * 2 ** (tries - 1))


def test_rest_is_forgotten_when_the_connection_is_back(site: Site) -> None:
    """So that the next outage begins with a short one."""
    world = site.open()
    fail(world, "shop", pull_orders=error_of(TransientError))
    for _ in range(4):
        look(world, "shop")
        site.advance(61)
        world = site.open()
        fail(world, "shop", pull_orders=error_of(TransientError))
    with world.store.read() as tx:
        assert known.paused(tx)["shop"][1]["tries"] == 4
    fail(world, "shop")
    site.order(create_time=NOON)
    look(world, "shop")
    fail(world, "shop", pull_orders=error_of(TransientError))
    site.advance(61)
    world = site.open()
    fail(world, "shop", pull_orders=error_of(TransientError))
    look(world, "shop")
    assert rests(world)["shop"] <= 5
