"""An order that was sent, perhaps, and blocks: whatever becomes of it, first it is looked up (laws 1, 3)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from katana_simulator import Simulator as Katana

from hub.contract import HubError
from hub.engine import hand, pull, retry
from hub.engine.lane import visit
from hub.engine.progress import Progress
from hub.engine.sync import Crew, involved
from hub.engine.world import World
from tests.flow.conftest import SiteMaker
from tests.site import HOUR, NOON, Site

MUGS = [{"sku": "MUG", "quantity": 3, "price": "20.00"}]
PLANT = '  plant:\n    connector: katana\n    settings: {api_key: "${API_KEY}", api_url: "URL/v1"}\nroutes:\n'
TWO = """\
  - {name: one, channel: shop, erp: factory, fulfillments: {enabled: false}, inventory: {enabled: false},
     orders: {start: 2026-03-01, when: {region: [US]}}}
  - {name: two, channel: shop, erp: plant, fulfillments: {enabled: false}, inventory: {enabled: false},
     orders: {start: 2026-03-01}}
"""


class Breaks:
    """A connector that breaks just after its sales order was made."""

    def __init__(self, hooks: Any) -> None:
        self._hooks = hooks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hooks, name)

    def begin_order(self, **arguments: Any) -> Callable[[], None]:
        finish = self._hooks.begin_order(**arguments)

        def finish_badly() -> None:
            finish()
            raise KeyError("odd")

        return finish_badly


def _due(site: Site) -> str:
    ref = site.order(lines=MUGS)
    site.advance(2 * HOUR)
    site.both("clock", {"rate": 20})  # what is looked up is waited for
    return ref


def _pass(site: Site) -> World:
    """Run one pass and wait for nothing."""
    world = site.world or site.open()
    Crew(world, Progress(), threading.Event(), *involved(world)).round(pull_anyway=True)
    return world


def broken(site: Site) -> str:
    """Have an order blocked whose sales order was made by a connector that then broke."""
    ref = _due(site)
    factory = site.open().connected["factory"]
    object.__setattr__(factory, "hooks", Breaks(factory.hooks))
    _pass(site)
    assert site.fate(ref) == ("blocked", "connector-broke")
    return ref


def copied(site: Site) -> str:
    """Have an order blocked because its answer was lost and somebody copied its sales order meanwhile."""
    ref = _due(site)
    lost = {"kind": "lost_reply", "match": "sales_orders$", "method": "POST", "times": 1}
    site.katana_sim("faults", {"faults": [lost]})
    _pass(site)
    rows = [{"sku": "MUG", "quantity": 3}]
    site.katana_sim("seed", {"sales_orders": [{"order_no": f"TT-{ref}", "sales_order_rows": rows}]})
    site.advance(30)
    site.sync(again=True)
    assert site.fate(ref) == ("blocked", "duplicate-in-erp")
    return ref


def _read(site: Site) -> None:
    """See what the channel says now, and do nothing more."""
    site.advance(61)
    assert site.world is not None
    pull.pull_orders(site.world, site.world.connected["shop"])


def _later(site: Site, *seconds: float) -> None:
    for each in seconds:
        site.advance(each)
        site.sync()


def _units(site: Site) -> list[list[int]]:
    return [[int(row["quantity"]) for row in one["sales_order_rows"]] for one in site.sales_orders()]


def test_units_cut_meanwhile_are_cut_in_the_sales_order(site: Site) -> None:
    ref = broken(site)
    site.act(ref, "cancel_line", sku="MUG", quantity=2)
    _later(site, 61, 1000)
    assert site.fate(ref) == ("placed", None)
    assert _units(site) == [[1]]


def test_units_cut_before_the_documented_remedy_are_cut_in_the_sales_order(site: Site) -> None:
    ref = copied(site)
    site.act(ref, "cancel_line", sku="MUG", quantity=2)
    _read(site)
    site.katana_sim("do/delete", {"sales_order_id": max(one["id"] for one in site.sales_orders())})
    assert site.world is not None
    retry.retry(site.world.store, ref, site.world.clock.now())
    _later(site, 61, 1000)
    assert site.fate(ref) == ("placed", None)
    assert _units(site) == [[1]]


def test_cancellation_after_an_edit_takes_the_sales_order_back(site: Site) -> None:
    ref = broken(site)
    site.act(ref, "cancel_line", sku="MUG", quantity=1)
    _read(site)
    site.act(ref, "cancel", by="SELLER")
    _read(site)
    _later(site, 61, 2 * HOUR)
    assert site.fate(ref) == ("cancelled", None)
    assert site.sales_orders() == []


def test_cancellation_after_an_edit_leaves_two_sales_orders_to_a_person(site: Site) -> None:
    ref = copied(site)
    site.act(ref, "cancel_line", sku="MUG", quantity=1)
    _read(site)
    site.act(ref, "cancel", by="SELLER")
    _read(site)
    _later(site, 61, 2 * HOUR)
    assert site.fate(ref)[0] == "blocked"
    assert len(site.sales_orders()) == 2


@pytest.mark.parametrize("may_be_there", [broken, copied])
def test_person_cannot_hold_what_may_be_there(site: Site, may_be_there: Callable[[Site], str]) -> None:
    ref = may_be_there(site)
    assert site.world is not None
    with pytest.raises(HubError, match="in-flight"):
        hand.hold(site.world.store, ref, site.world.clock.now())


def test_buyers_request_is_refused_where_the_sales_order_was_shipped(site: Site) -> None:
    """Two sales orders stand in the ERP, and one of them is delivered: it is not that none was made."""
    ref = copied(site)
    site.katana_sim("do/ship", {"order_no": f"TT-{ref}", "status": "DELIVERED"})
    site.act(ref, "request_cancel")
    _later(site, 61, 1000)
    assert "cancellation-refused" in site.events(ref)


@pytest.fixture
def plant() -> Iterator[Katana]:
    made = Katana()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def two(make_site: SiteMaker, plant: Katana) -> Site:
    """A site with a second ERP, to which all goes that is not for the US."""
    site = make_site(routes=TWO)
    site.sim(plant.url, "clock", {"now": NOON, "rate": 0})
    site.sim(plant.url, "options", {"rate_limit": "off"})
    variants = [{"sku": "MUG", "name": "Mug", "price": 20, "stock": 9}]
    site.sim(plant.url, "seed", {"variants": variants})
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("routes:\n", PLANT.replace("URL", plant.url), 1))
    return site


def _made_in(site: Site, erp: Katana) -> int:
    return len(site.sim(erp.url, "state", method="GET")["sales_orders"])


def test_address_that_leads_to_another_erp_makes_no_second_sales_order(two: Site, plant: Katana) -> None:
    ref = broken(two)
    two.act(ref, "edit_address", address={"region_code": "CA"})
    two.act(ref, "set", fields={"update_time": NOON + 3 * HOUR})
    _later(two, 61, 1000)
    assert (_made_in(two, two.katana), _made_in(two, plant)) == (1, 0)


def test_order_led_to_an_erp_that_rests_keeps_no_other_waiting(two: Site, plant: Katana) -> None:
    """It was for no route; now a route takes it to an ERP that cannot be reached."""
    file = two.folder / "routes.yaml"
    text = file.read_text()
    whole = text[text.index("  - {name: two") : text.index("timing:")]
    file.write_text(text.replace(whole, ""))
    abroad = two.order(lines=MUGS, on_hold=False, address={"region_code": "CA"})
    two.advance(2 * HOUR)
    two.sync()
    assert two.fate(abroad) == ("blocked", "no-route")
    file.write_text(text)
    two.both("clock", {"rate": 20})
    two.sim(plant.url, "faults", {"faults": [{"kind": "drop", "match": "."}]})
    ref = two.order(lines=MUGS, on_hold=False, create_time=NOON + 2 * HOUR)
    two.advance(5 * HOUR)
    world, pauses = two.open(), []
    for _ in range(12):
        for id_ in ("shop", "factory", "plant"):
            pauses.append(visit(world, Progress(), threading.Event(), id_).due_in_s)
        two.advance(30)
    assert two.fate(ref) == ("placed", None)
    assert two.fate(abroad) == ("held", "hold")
    assert pauses[-3] > 1, "the channel's lane does not spin"
