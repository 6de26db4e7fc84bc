"""The hourly proof of the daemon: what both sides tell afresh, held against the ledger, with each remainder named."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from hub.daemon.embedded import run
from hub.engine import reconcile_erp
from hub.engine.lane import visit
from hub.engine.progress import Progress
from hub.engine.proof import Proof
from hub.engine.proving import STREAM, last, prove_now
from hub.store import known
from hub.store.tables import fulfillments, orders
from tests.flow.conftest import SiteMaker
from tests.flow.stock_site import in_erp, list_products, sells
from tests.site import HOUR, NOON, ROUTE, Site
from tests.stepped import SteppedClock

ALL = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01}
"""
POLL_S = 301.0
MUG = {"sku": "MUG", "price": "20.00"}


class Keeper:
    """A daemon of which a test decides when it works."""

    def __init__(self, site: Site) -> None:
        self.site, self.clock = site, SteppedClock(site, threading.Event(), end_s=1e9)
        self.world = site.open(time=self.clock)
        self.work()

    def work(self) -> None:
        """Visit both lanes until nothing is due."""
        for id_ in ("shop", "factory", "shop", "factory"):
            while not (ended := visit(self.world, Progress(), threading.Event(), id_)).due_in_s:
                assert ended.error is None, ended.error

    def later(self, seconds: float = POLL_S) -> None:
        """Let time pass, then work."""
        while seconds > 0:  # a lane that is left alone for longer would doubt itself
            self.clock.wait(min(seconds, 890))
            seconds -= 890
            self.work()

    def proofs(self) -> tuple[Proof, Proof]:
        """Have both Connections proved, as if an hour was over; of the channel, and of the ERP."""
        every = self.world.timing.reconcile_every_s
        now = self.world.clock.now()
        with self.world.store.write() as tx:
            for id_ in ("shop", "factory"):
                known.set_cursor(tx, id_, STREAM, None, now.fromtimestamp(now.timestamp() - every, now.tzinfo))
        self.work()
        while self.world.proving:
            self.later()
        shop, factory = last(self.world, "shop"), last(self.world, "factory")
        assert shop is not None
        assert factory is not None
        assert all(part.is_balanced for each in (shop, factory) for part in each.parts.values())
        return shop, factory


def remainder(*proofs: Proof) -> dict[str, list[str]]:
    """Return what remains, by kind."""
    return {
        kind: ids for proof in proofs for part in proof.parts.values() for kind, ids in part.remainder.items() if ids
    }


def placed(keeper: Keeper, count: int = 1, **spec: Any) -> list[str]:
    """Have orders placed, and the time pass within which they may not show yet."""
    now = int(keeper.clock.now().timestamp())
    refs = keeper.site.orders_made(**{"lines": [MUG], "create_time": now - 60, "count": count, **spec})
    keeper.later(HOUR + 1200)
    assert {keeper.site.fate(ref)[0] for ref in refs} == {"placed"}
    return refs


@pytest.fixture
def busy(make_site: SiteMaker) -> Keeper:
    """A shop that sells, ships and is in step with its ERP."""
    return Keeper(selling(make_site()))


def selling(site: Site) -> Site:
    """Have a site sell three products by the ERP's stock."""
    site.write_routes(ALL)
    list_products(site, "MUG", "TEE", "TEA", stock=100)
    return site


def copied(site: Site, number: str) -> dict[str, Any]:
    """Enter a second sales order for the one there is."""
    (first,) = site.sales_orders()
    rows = [{"variant_id": row["variant_id"], "quantity": 1, "price_per_unit": 20} for row in first["sales_order_rows"]]
    names = ("customer_id", "ecommerce_order_type", "ecommerce_store_name", "ecommerce_order_id")
    body = {**{name: first[name] for name in names}, "order_no": number, "sales_order_rows": rows}
    made: dict[str, Any] = _katana(site, "POST", "/sales_orders", body)
    return made


def _katana(site: Site, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {site.environ()['API_KEY']}"}
    answer = site.http.request(method, f"{site.katana.url}/v1{path}", headers=headers, json=body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def test_shop_in_step_is_whole_and_each_part_is_an_equation(make_site: SiteMaker, database: str) -> None:
    site = selling(make_site(database=database))
    busy = Keeper(site)
    shipped, _ = placed(busy, 2)
    now = int(busy.clock.now().timestamp()) - 60
    site.order(lines=[{"sku": "NO-SUCH", "price": "5.00"}], create_time=now - HOUR)
    site.order(lines=[MUG], paid_time=None, create_time=now)
    cancelled = site.order(lines=[MUG], create_time=now)
    busy.work()
    site.act(cancelled, "cancel")
    body = {"order_no": f"TT-{shipped}", "tracking_carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
    site.katana_sim("do/ship", {**body, "status": "DELIVERED"})
    busy.later(1200)
    shop, factory = busy.proofs()
    assert remainder(shop, factory) == {}
    told = {name: part.fates for proof in (shop, factory) for name, part in proof.parts.items()}
    assert told["orders"] == {"fulfilled": 1, "placed": 1, "blocked": 1, "held": 1, "cancelled": 1}
    assert told["parcels"] == {"told": 1}
    assert told["stock"] == {"agreeing": 3}
    assert told["sales_orders"] == {"single": 2}
    assert told["shipments"] == {"told: shop": 1}


def test_what_differs_is_named_by_id_and_said_once(busy: Keeper) -> None:
    """Lost from the ledger, behind, shipped by hand, stock set by hand, a shipment that no poll brings."""
    site, store = busy.site, busy.world.store
    lost, behind, by_hand, unread, read = placed(busy, 5)
    site.act(by_hand, "ship", tracking_number="1Z999AA10123456784")
    (shipment,) = [site.katana_sim("do/ship", {"order_no": f"TT-{unread}", "status": "DELIVERED"})["id"]]
    site.tiktok_sim("sku", {"sku": "TEA", "stock": 120})
    busy.later(600)
    site.katana_sim("do/ship", {"order_no": f"TT-{read}", "status": "DELIVERED"})  # later polls look no further back
    busy.later(1500)
    older = busy.clock.now().replace(year=2025)
    with store.write() as tx:
        tx.execute(sa.update(orders).where(orders.c.ref == behind).values(updated_at=older, digest=""))
        tx.execute(sa.update(orders).where(orders.c.ref == lost).values(ref="another"))
        tx.execute(sa.delete(fulfillments).where(fulfillments.c.ref == str(shipment)))
    with capture_logs() as log:
        found = remainder(*busy.proofs())
        assert found == {
            "missing": [lost], "behind": [behind], "unknown": [f"{by_hand}: 1Z999AA10123456784"],
            "differing": ["TEA: 120 there, 100 in the ledger"], "unread": [str(shipment)],
        }  # fmt: skip
        # What the pages held was taken from them, also what no poll brings; what a person did stays.
        assert remainder(*busy.proofs()).keys() == {"unknown"}
        with store.read() as tx:
            assert tx.execute(sa.select(fulfillments.c.order_ref).where(fulfillments.c.ref == str(shipment))).all()
        busy.later(2 * HOUR + 600)
        assert remainder(*busy.proofs()) == {}
    said = [each for each in log if each["event"].startswith("reconciliation-")]
    assert [(each["event"], each["connection"]) for each in said] == [
        ("reconciliation-remainder", "shop"), ("reconciliation-remainder", "factory"),
        ("reconciliation-whole", "factory"), ("reconciliation-whole", "shop"),
    ]  # fmt: skip
    assert (said[0]["missing"], said[1]["unread"]) == (1, 1)
    assert sells(site, "TEA") == 100
    assert site.row(behind).updated_at > older


def test_order_that_the_ledger_lost_is_not_placed_twice(busy: Keeper) -> None:
    """It is older than the watch that the proof begins, so its sales order is looked for before it would be sent."""
    (lost,) = placed(busy)
    busy.later(1200)
    with busy.world.store.write() as tx:
        tx.execute(sa.update(orders).where(orders.c.ref == lost).values(ref="another", key="another"))
        tx.execute(sa.text("UPDATE sales_orders SET ref = 'another', key = 'another'"))
        tx.execute(sa.text("UPDATE outbox SET key = 'another'"))
    assert remainder(*busy.proofs())["missing"] == [lost]
    busy.later(HOUR)
    assert busy.site.fate(lost) == ("placed", None)
    assert "adopted" in busy.site.events(lost)
    assert len(busy.site.sales_orders()) == 1


@pytest.mark.parametrize(("number", "left"), [("BY-HAND", "ours"), (None, "theirs")])
def test_second_sales_order_blocks_and_both_are_named_until_one_is_deleted(
    make_site: SiteMaker, number: str | None, left: str
) -> None:
    """A person's copy, or a call of ours that took hold late, long after its order was placed (law 1)."""
    site = make_site()
    keeper = Keeper(site)
    (ref,) = placed(keeper)
    keeper.later(3 * HOUR)
    (first,) = site.sales_orders()
    second = copied(site, number or f"TT-{ref}")
    shop, factory = keeper.proofs()
    assert remainder(shop).keys() == set()
    (named,) = remainder(factory)["doubled"]
    for each in (first, second):
        assert f"{each['order_no']} (id {each['id']})" in named
    row = site.row(ref)
    assert (row.fate, row.cause) == ("blocked", "duplicate-in-erp")
    assert row.reason is not None
    assert str(second["id"]) in row.reason[0]["what"]
    gone, kept = (second, first) if left == "ours" else (first, second)
    _katana(site, "DELETE", f"/sales_orders/{gone['id']}")
    assert remainder(*keeper.proofs()) == {}
    assert site.fate(ref) == ("placed", None)
    with keeper.world.store.read() as tx:
        assert tx.execute(sa.text("SELECT ref FROM sales_orders")).scalars().all() == [str(kept["id"])]


def test_sales_order_that_is_gone_is_named_and_then_blocked(site: Site) -> None:
    keeper = Keeper(site)
    (ref,) = placed(keeper)
    (order,) = site.sales_orders()
    _katana(site, "DELETE", f"/sales_orders/{order['id']}")
    assert remainder(*keeper.proofs()) == {"lost": [f"{ref}: TT-{ref} (id {order['id']})"]}
    keeper.work()
    assert site.fate(ref) == ("blocked", "deleted-in-erp")
    _, factory = keeper.proofs()
    assert factory.parts["sales_orders"].fates == {"gone, and the order blocked": 1}
    assert factory.is_whole


def test_stock_that_is_not_there_yet_is_pending_and_says_why(make_site: SiteMaker) -> None:
    site = make_site(routes=ALL + "    products: {disabled: [TEE]}\n")
    list_products(site, "MUG", "TEE", "TEA", "NOBODYS", stock=100)
    keeper = Keeper(site)
    site.tiktok_sim("sku", {"sku": "TEA", "promotion": True})  # which refuses a decrease
    in_erp(site, "MUG", change=5)
    in_erp(site, "TEA", change=-5)
    keeper.later(2 * HOUR)
    site.orders_made(lines=[MUG], create_time=int(keeper.clock.now().timestamp()) - 60)
    shop, factory = keeper.proofs()
    assert remainder(shop, factory) == {}
    fates = shop.parts["stock"].fates
    assert fates == {
        "left alone: variant-unmapped": 1, "left alone: switched-off": 1,
        "pending: refused": 1, "pending: just sold": 1,
    }  # fmt: skip


@pytest.mark.parametrize("every", ["15m", "0"])
def test_daemon_proves_each_side_in_few_calls(make_site: SiteMaker, every: str) -> None:
    """Counted in 50 minutes, in which it makes three proofs of each; of shipments not one call more than its polls."""
    site = make_site(routes=ROUTE.replace("fulfillments: {enabled: false}", "fulfillments: {}"))
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("timing: {", f"timing: {{reconcile_every: {every}, orders_every: 5m, "))
    file.write_text(file.read_text().replace("orders_every: 60s, ", ""))
    site.orders_made(lines=[MUG], create_time=NOON - HOUR, count=3)  # due at once
    stop = threading.Event()
    world = site.open(time=SteppedClock(site, stop, end_s=3000 if every != "0" else 1000))
    run(world, Progress(), stop)
    kept = [last(world, id_) for id_ in ("shop", "factory")]
    calls = site.calls("tiktok") | site.calls("katana")
    pages = calls["POST /order/202309/orders/search"] - calls["POST /return_refund/202309/cancellations/search"]
    assert pages == (0 if every == "0" else 3)
    assert calls["GET /v1/sales_orders"] == 1 + pages  # the survey as it begins
    assert calls["GET /v1/sales_order_fulfillments"] <= (3000 / 300 if pages else 1000 / 300) + 1
    assert [each is not None and each.is_whole for each in kept] == ([False] * 2 if every == "0" else [True] * 2)


def test_long_proof_gives_way_after_each_page(site: Site) -> None:
    """An order that comes due while a proof is being made is placed before the next page is read."""
    keeper = Keeper(site)
    now = int(keeper.clock.now().timestamp())
    site.orders_made(lines=[MUG], create_time=now - 60, count=320)
    (late,) = site.orders_made(lines=[MUG], create_time=now - 20)
    keeper.later(HOUR - 30)
    assert site.fate(late)[0] == "held"
    with keeper.world.store.write() as tx:
        known.set_cursor(tx, "shop", STREAM, None, keeper.clock.now().replace(year=2025))
    assert visit(keeper.world, Progress(), threading.Event(), "shop").due_in_s == 0.0
    keeper.clock.wait(61)
    visits = 0
    while "shop" in keeper.world.proving:
        before = site.total_calls("tiktok")
        visit(keeper.world, Progress(), threading.Event(), "shop")
        visit(keeper.world, Progress(), threading.Event(), "factory")
        visits += 1
        if visits == 1:
            assert site.fate(late) == ("placed", None)
        else:
            assert site.total_calls("tiktok") - before <= 1
    assert visits >= 3


def test_proof_by_hand_beside_the_daemon_tells_the_lane_where_to_look(site: Site) -> None:
    keeper = Keeper(site)
    (lost,) = placed(keeper)
    busy_until = keeper.clock.now()
    with keeper.world.store.write() as tx:
        tx.execute(sa.update(orders).where(orders.c.ref == lost).values(ref="another", key="another"))
    shop = prove_now(keeper.world, keeper.world.connected["shop"], busy_until.replace(year=2025))
    assert remainder(shop) == {"missing": [lost]}
    with keeper.world.store.read() as tx:
        assert tx.execute(sa.text("SELECT kind, ref FROM wakes")).all() == [("orders", lost)]


def test_sales_order_without_a_trace_is_named_until_it_is_found(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are placed after it: nobody ships what is not there."""
    keeper = Keeper(site)
    (ref,) = placed(keeper)
    table = site.katana._gateway.world.orders
    (order,) = site.sales_orders()
    row, found_by = table.rows[order["id"]], ("order_no", "order_no_folded", "ecommerce_order_id", "customer_ref")
    was = {name: row.get(name) for name in found_by}
    table.change(row, dict.fromkeys(found_by, "another"))
    monkeypatch.setattr(reconcile_erp, "NEWEST", 0)
    named = {"lost": [f"{ref}: TT-{ref} (id {order['id']})"]}
    assert remainder(*keeper.proofs()) == named
    keeper.later(5 * HOUR)
    assert remainder(*keeper.proofs()) == named
    table.change(row, was)
    assert remainder(*keeper.proofs()) == {}


def test_proof_by_hand_of_a_short_time_hides_no_gap_that_the_daemon_left(site: Site) -> None:
    keeper = Keeper(site)
    placed(keeper)
    keeper.later(2 * HOUR)
    proved = last(keeper.world, "shop")
    assert proved is not None
    keeper.clock.wait(3 * 86_400)
    now = keeper.clock.now()
    prove_now(keeper.world, keeper.world.connected["shop"], now - timedelta(minutes=90))
    keeper.work()
    shop = last(keeper.world, "shop")
    assert shop is not None
    assert (shop.at >= now, shop.since <= proved.at) == (True, True)
