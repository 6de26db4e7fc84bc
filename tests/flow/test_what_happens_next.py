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
from hub.engine import retry, steps
from hub.engine.lane import visit
from hub.engine.outcome import RESTS, rest_s, resting
from hub.engine.progress import Progress
from hub.engine.world import World
from hub.store import known
from hub.store.products import listings_of
from tests.flow import test_changes as changes
from tests.flow import test_products as products
from tests.flow import test_returns as returns
from tests.flow import test_shipments as shipments
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
    """A connector's hooks, some of which raise: whenever they are called, or only once; both halves of one alike."""

    def __init__(self, hooks: Any, errors: dict[str, Exception], *, once: bool = False) -> None:
        self._hooks, self._errors, self._once = hooks, errors, once

    def __getattr__(self, name: str) -> Any:
        hook = "push_order" if name == "begin_order" else name
        if hook in self._errors:

            def fail(**arguments: Any) -> Any:
                raise self._errors.pop(hook) if self._once else self._errors[hook]

            return fail
        return getattr(self._hooks, name)


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


# -- what fails for one order, or for one thing of it, stands in the way of no other


def fail_once(world: World, connection: str, hook: str) -> None:
    """Have the next call of a hook break, and all that follow work."""
    connected = world.connected[connection]
    world.connected[connection] = replace(
        connected, hooks=Failing(connected.hooks, {hook: error_of(KeyError)}, once=True)
    )


def two(site: Site, **spec: Any) -> list[str]:
    """Have two orders placed."""
    found = [site.order(**{"lines": [{"sku": "MUG", "quantity": 2, "price": "20.00"}], **spec}) for _ in range(2)]
    later(site, 1)
    later(site, 2 * HOUR)
    assert [site.fate(ref) for ref in found] == [("placed", None)] * 2
    return found


def later(site: Site, seconds: float = 61.0) -> None:
    site.advance(seconds)
    site.sync()


def visited(site: Site, seconds: float, broken: str, hook: str) -> None:
    """Let time pass, then visit both lanes until the hook has broken once; nothing may rest for it."""
    site.advance(seconds)
    world = site.open()
    fail_once(world, broken, hook)
    with capture_logs() as log:
        for connection in ("shop", "factory", "shop", "factory"):
            look(world, connection)
    assert [entry["hook"] for entry in log if entry["event"] == "connector-broke"] == [hook]
    assert rests(world) == {}


def retried(site: Site, ref: str) -> None:
    """Retry an order as a person does after an update, and let both lanes work."""
    retry.retry_after(site.open(), ref)
    site.sync()


@pytest.mark.parametrize(
    ("act", "hook", "cause"),
    [
        ({"action": "cancel"}, "cancel_order", "cancelled-after-placement"),
        ({"action": "cancel_line", "sku": "MUG", "quantity": 1}, "update_order", "changed-after-placement"),
    ],
)
def test_change_that_a_connector_breaks_over_blocks_its_order_alone(
    make_site: SiteMaker, act: dict[str, Any], hook: str, cause: str
) -> None:
    site = make_site(routes=changes.route())
    refs = two(site)
    for ref in refs:
        site.act(ref, **act)
    visited(site, 61, "factory", hook)
    (broken,) = [ref for ref in refs if site.fate(ref) == ("blocked", cause)]
    (other,) = [ref for ref in refs if ref != broken]
    done = ("cancelled", None) if hook == "cancel_order" else ("placed", None)
    assert site.fate(other) == done
    retried(site, broken)
    assert site.fate(broken) == done


def test_order_that_was_changed_back_while_its_connector_broke_is_compared_by_a_retry(make_site: SiteMaker) -> None:
    site = make_site(routes=changes.route())
    site.tiktok_sim("options", {"address_moves_update_time": "yes"})
    ref = changes.placed(site)
    street = site.tiktok_sim(f"orders/{ref}", method="GET")["order"]["address"]["address_line1"]
    for line, cause in (("77 Changed Rd", "changed-after-placement"), (street, "reverted-after-placement")):
        site.act(ref, "edit_address", address={"address_line1": line})
        visited(site, 61, "factory", "update_order")
        assert site.fate(ref) == ("blocked", cause)
    retried(site, ref)
    assert site.fate(ref) == ("placed", None)


@pytest.mark.parametrize("is_placed", [True, False])
def test_answer_that_a_connector_breaks_over_leaves_its_order_alone_open(make_site: SiteMaker, is_placed: bool) -> None:
    """That of a held order, which nobody can retry, is given again by itself."""
    site = make_site(routes=changes.route())
    refs = two(site) if is_placed else [site.order(on_hold=False), site.order(on_hold=False)]
    for ref in refs:
        site.act(ref, "request_cancel")
    visited(site, 61, "shop", "decide_cancellation")
    answered = [ref for ref in refs if "cancellation-accepted" in site.events(ref)]
    assert len(answered) == 1
    (broken,) = [ref for ref in refs if ref not in answered]
    if is_placed:
        assert site.fate(broken) == ("blocked", "cancel-request-open")
        retried(site, broken)
    else:
        later(site, 301)
    assert "cancellation-accepted" in site.events(broken)


def test_order_shipped_by_the_channel_that_a_connector_breaks_over_is_blocked_alone(make_site: SiteMaker) -> None:
    site = make_site(routes=changes.route(changes.FBT))
    site.katana_sim("seed", {"locations": [{"name": "Main"}, {"name": "TikTok FBT"}]})
    refs = [site.order(kind="fbt", lines=[{"sku": "MUG", "price": "20.00"}]) for _ in range(2)]
    later(site, 2 * HOUR)
    for ref in refs:
        site.act(ref, "ship")
    visited(site, 61, "factory", "push_fulfillment")
    assert sorted(site.fate(ref) for ref in refs) == [("blocked", "done-unrecorded"), ("fulfilled", None)]
    (broken,) = [ref for ref in refs if site.fate(ref)[0] == "blocked"]
    retried(site, broken)
    assert site.fate(broken) == ("fulfilled", None)


def test_parcel_whose_carriers_a_connector_cannot_list_is_blocked_alone(make_site: SiteMaker) -> None:
    site = make_site(routes=shipments.route())
    refs = two(site)
    for n, ref in enumerate(refs):
        shipments.ship(site, ref, f"1Z999AA1012345678{n}")
    visited(site, 301, "shop", "list_carriers")
    assert site.fate(refs[0]) == ("blocked", "connector-broke")
    assert shipments.numbers(site, refs[1]) == ["1Z999AA10123456781"] * 2
    retried(site, refs[0])
    assert shipments.numbers(site, refs[0]) == ["1Z999AA10123456780"] * 2


def test_number_that_a_connector_cannot_write_back_blocks_its_order_alone(make_site: SiteMaker) -> None:
    """Its label is saved all the same, and does not hide the trouble."""
    site = make_site(routes=shipments.route("labels: labels"))
    refs = two(site, shipping_type="TIKTOK")
    for ref in refs:
        shipments.ship(site, ref, None, status="PACKED", tracking_carrier=None)
    visited(site, 301, "factory", "update_fulfillment")

    def written() -> list[str]:
        shown = {ref: site.katana_sim(f"order?order_no=TT-{ref}", method="GET")["fulfillments"] for ref in refs}
        return [ref for ref, (made,) in shown.items() if made["tracking_number"]]

    (other,) = written()
    (broken,) = [ref for ref in refs if ref != other]
    later(site)
    assert len(list((site.folder / "labels").iterdir())) == 2
    assert site.fate(broken) == ("blocked", "connector-broke")
    retried(site, broken)
    assert set(written()) == set(refs)
    later(site)
    assert site.fate(broken)[0] != "blocked"


def test_return_that_a_connector_breaks_over_blocks_its_order_alone(make_site: SiteMaker) -> None:
    site = make_site(routes=returns.route())
    refs = two(site)
    for n, ref in enumerate(refs):
        shipments.ship(site, ref, f"1Z999AA1012345678{n}")
    later(site, 301)
    for ref in refs:
        returns.send_back(site, ref)
    visited(site, HOUR + 1, "factory", "push_return")
    (broken,) = [ref for ref in refs if site.fate(ref) == ("blocked", "return-unbooked")]
    assert len(returns.booked(site)) == 1
    retried(site, broken)
    assert len(returns.booked(site)) == 2
    assert site.fate(broken) == ("fulfilled", None)


def test_order_deleted_in_the_erp_that_a_connector_cannot_cancel_is_blocked_alone(make_site: SiteMaker) -> None:
    site = make_site(routes=changes.route("on_deleted_in_erp: {cancel_with: seller_cancel_reason_out_of_stock}"))
    refs = two(site)
    for one in site.sales_orders():
        site.katana_sim("do/delete", {"order_no": one["order_no"]})
    visited(site, changes.DAY + 61, "shop", "cancel_order")
    assert "cancelled-on-channel" in site.events(refs[1])
    assert site.fate(refs[0]) == ("blocked", "deleted-in-erp")
    retried(site, refs[0])
    assert "cancelled-on-channel" in site.events(refs[0])


def test_listing_that_a_connector_cannot_look_up_keeps_no_other_waiting(make_site: SiteMaker) -> None:
    site = make_site(routes=products.route(products.READY), skus={"MUG": 5, "MUG2": 5})
    products.show_goods(site.folder, "MUG", "MUG2")
    fault = {"kind": "lost_reply", "match": "202309/products$", "method": "POST", "times": 2}
    site.tiktok_sim("faults", {"faults": [fault]})
    site.sync()
    visited(site, 60, "shop", "find_variants")
    assert sorted(states(site)) == ["done", "unknown"]
    later(site, 60)
    assert states(site) == ["done", "done"]
    assert len(products.on_channel(site)) == 2


def states(site: Site) -> list[str]:
    assert site.world is not None
    with site.world.store.read() as tx:
        found = listings_of(tx, "shop")
    return [row.state for product, row in found.items() if product]
