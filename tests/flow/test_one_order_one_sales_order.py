"""Law 1: whatever dies, repeats or times out, one channel order has one sales order."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from typing import Any

import pytest

from hub.engine import place, pull, release
from hub.engine.progress import Progress
from hub.engine.sync import Crew, involved
from tests.flow.conftest import SiteMaker
from tests.site import HOUR, NOON, ROUTE, Site

CREATE = "POST /v1/sales_orders"


def _ready(site: Site, count: int = 6, **spec: object) -> list[str]:
    refs = site.orders_made(**{"count": count, "lines": [{"sku": "MUG", "price": "20.00"}], "create_time": NOON - 60,
                               **spec})  # fmt: skip
    site.advance(2 * HOUR)
    site.both("clock", {"rate": 20})  # waiting is part of what is tested
    return refs


def _lose_ledger(site: Site) -> None:
    site.close_hub()
    for file in Path(site.folder).glob("hub.db*"):
        file.unlink()


def _numbers(site: Site) -> list[str]:
    return sorted(one["order_no"] for one in site.sales_orders())


@pytest.mark.parametrize("duplicates", ["allow", "refuse"])
@pytest.mark.parametrize("kind", ["lost_reply", "cut_body", "drop", "slow", "503", "500", "429"])
def test_fault_on_create_neither_loses_nor_doubles(site: Site, kind: str, duplicates: str) -> None:
    """K: whether a second order with the same number is refused is UNCERTAIN; both ways must end the same."""
    site.katana_sim("options", {"duplicate_order_no": duplicates})
    refs = _ready(site)
    fault = {"kind": kind, "match": "sales_orders$", "method": "POST", "times": 3, "seconds": 3}
    site.katana_sim("faults", {"faults": [fault]})
    site.sync()
    assert {site.fate(ref) for ref in refs} == {("placed", None)}
    assert _numbers(site) == sorted(f"TT-{ref}" for ref in refs)


def test_orders_that_are_released_while_others_are_sent_arrive_once(site: Site) -> None:
    """More than two releases, sent batch after batch, each claimed while the last calls of the one before are out."""
    site.katana_sim("options", {"rate_limit": "off"})
    refs = _ready(site, 2 * release.BATCH + 50)
    fault = {"match": "sales_orders$", "method": "POST", "times": 4, "probability": 0.02}
    faults = [{**fault, "kind": kind} for kind in ("lost_reply", "503", "500")]
    site.katana_sim("faults", {"faults": faults, "seed": 1})
    flying = most = 0
    lock, refused = threading.Lock(), set[str]()

    def watch(event: str, details: dict[str, Any]) -> None:
        nonlocal flying, most
        if event == "push_order":
            with lock:
                flying += 1 if "seconds" not in details else -1
                most = max(most, flying)
                refused.add(details.get("error", ""))

    site.open(trace=watch)
    site.sync(again=True)
    assert site.fates() == {"placed": len(refs)}
    assert _numbers(site) == sorted(f"TT-{ref}" for ref in refs)
    assert 1 < most <= 4  # as many as the connector declares, over all batches
    assert "no-answer" in refused


def test_next_order_is_on_its_way_before_the_answer_to_the_last_is_read(site: Site) -> None:
    """The ERP makes one while the hub composes the next."""
    _ready(site, 3)
    told: list[str] = []

    def watch(event: str, details: dict[str, Any]) -> None:
        if event == "push_order":
            told.append("end" if "seconds" in details else "begin")

    site.open(trace=watch)
    site.sync(again=True)
    assert told == ["begin", "begin", "end", "begin", "end", "end"]


def test_order_that_would_wait_for_the_budget_is_begun_when_the_others_are_done(site: Site) -> None:
    """An answer left unread counts as a call that is still out, and would take from the budget what it gave back."""
    file = site.folder / "routes.yaml"
    file.write_text(file.read_text().replace("requests_per_minute: 6000", "requests_per_minute: 4"))
    _ready(site, 6)
    begun_beside_others: list[float] = []
    out = 0

    def watch(event: str, details: dict[str, Any]) -> None:
        nonlocal out
        if event != "push_order":
            return
        if out and "seconds" not in details:
            assert site.world is not None
            waits = [site.world.budgets.room_in_s(each) for each in site.world.costs.budgets_of("factory")]
            begun_beside_others.append(max(waits))
        out += -1 if "seconds" in details else 1

    site.open(trace=watch)
    site.sync(again=True)
    assert begun_beside_others
    assert not any(begun_beside_others)


def test_key_refused_between_two_batches_sends_nothing_more_and_loses_nothing(site: Site) -> None:
    refs, asked = _ready(site, 2 * place.BATCH), itertools.count(1)

    def revoke(event: str, details: dict[str, Any]) -> None:
        if event == "push_order" and "seconds" not in details and next(asked) == place.BATCH - 2:
            site.katana_sim("options", {"key_revoked": "yes"})

    site.open(trace=revoke)
    assert site.sync(again=True).errors["factory"].code == "credentials-refused"
    made = len(site.sales_orders())
    assert site.calls("katana")[CREATE] <= made + 4  # those in flight with the first that was refused
    site.katana_sim("options", {"key_revoked": "no"})
    site.advance(600)
    site.sync()
    assert site.fates() == {"placed": len(refs)}
    assert _numbers(site) == sorted(f"TT-{ref}" for ref in refs)


def test_lost_answer_is_looked_up_before_anything_is_sent_again(site: Site) -> None:
    (ref,) = _ready(site, 1)
    site.katana_sim(
        "faults", {"faults": [{"kind": "lost_reply", "match": "sales_orders$", "method": "POST", "times": 1}]}
    )
    site.sync()
    assert site.calls("katana")[CREATE] == 1
    assert "outcome-unknown" in site.events(ref)
    assert site.fate(ref) == ("placed", None)


def test_orders_that_lack_their_fee_are_completed_side_by_side(site: Site) -> None:
    """They exist, so there is nothing to begin: a thread for each, as many as the connector declares."""
    refs = _ready(site, 4, shipping="5.00")
    site.katana_sim("faults", {"faults": [
        {"kind": "lost_reply", "match": "sales_orders$", "method": "POST", "times": 4},
        {"kind": "slow", "match": "shipping_fee", "method": "POST", "times": 4, "seconds": 0.5},
    ]})  # fmt: skip
    out = most = 0
    lock = threading.Lock()

    def watch(event: str, details: dict[str, Any]) -> None:
        nonlocal out, most
        if event == "push_order" and threading.current_thread().name.startswith("factory"):
            with lock:
                out += -1 if "seconds" in details else 1
                most = max(most, out)

    site.open(trace=watch)
    site.sync(again=True)
    assert {site.fate(ref) for ref in refs} == {("placed", None)}
    assert most == 2


def test_lost_answer_of_the_shipping_fee_makes_neither_two_orders_nor_two_fees(site: Site) -> None:
    (ref,) = _ready(site, 1, shipping="5.00")
    fault = {"kind": "lost_reply", "match": "shipping_fee", "method": "POST", "times": 1}
    site.katana_sim("faults", {"faults": [fault]})
    site.sync()
    assert site.fate(ref) == ("placed", None)
    assert site.calls("katana")[CREATE] == 1
    assert site.calls("katana")["POST /v1/sales_order_shipping_fee"] == 1


def test_refused_shipping_fee_is_tried_again_without_a_second_order(site: Site) -> None:
    (ref,) = _ready(site, 1, shipping="5.00")
    fault = {"kind": "500", "match": "shipping_fee", "method": "POST", "times": 1}
    site.katana_sim("faults", {"faults": [fault]})
    site.sync()
    assert site.fate(ref) == ("placed", None)
    assert site.calls("katana")[CREATE] == 1
    assert site.sales_orders()[0]["shipping_fee"] is not None


@pytest.mark.parametrize("duplicates", ["allow", "refuse"])
def test_lost_ledger_doubles_nothing(site: Site, duplicates: str) -> None:
    """A new ledger looks before it sends: what an earlier one placed is adopted."""
    site.katana_sim("options", {"duplicate_order_no": duplicates})
    site.tiktok_sim("options", {"rotation": "survives"})  # the stored tokens are lost as well
    refs = _ready(site, 25)
    site.sync()
    _lose_ledger(site)
    site.sync()
    assert {site.fate(ref) for ref in refs} == {("placed", None)}
    assert site.calls("katana")[CREATE] == 25
    assert "adopted" in site.events(refs[0])


@pytest.mark.parametrize("packed", [False, True])
def test_order_that_changed_while_its_ledger_was_lost_has_its_found_sales_order_changed(
    site: Site, packed: bool
) -> None:
    site.tiktok_sim("options", {"rotation": "survives"})
    (ref,) = _ready(site, 1, lines=[{"sku": "MUG", "quantity": 3, "price": "20.00"}])
    site.sync()
    _lose_ledger(site)
    if packed:
        site.katana_sim("do/ship", {"order_no": f"TT-{ref}", "status": "PACKED"})
    site.act(ref, "cancel_line", sku="MUG", quantity=2)
    site.sync()
    assert site.fate(ref) == (("blocked", "changed-after-placement") if packed else ("placed", None))
    (made,) = site.sales_orders()
    assert [row["quantity"] for row in made["sales_order_rows"]] == [3 if packed else 1]


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("copies", [1, 2])
def test_order_cancelled_while_its_ledger_was_lost_leaves_no_sales_order(
    site: Site, is_known: bool, copies: int
) -> None:
    """The backup knows the order as held, or not at all; what was placed is deleted, or named where it is twice."""
    site.tiktok_sim("options", {"rotation": "survives"})
    ref, other = site.order() if is_known else "", site.order(paid_time=None)
    site.sync()
    site.close_hub()
    backup = (site.folder / "hub.db").read_bytes()
    site.advance(60)
    ref = ref or site.order(create_time=NOON + 30)
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)
    _lose_ledger(site)
    (site.folder / "hub.db").write_bytes(backup)
    if copies == 2:
        rows = [{"sku": "MUG", "quantity": 1}]
        site.katana_sim("seed", {"sales_orders": [{"order_no": f"TT-{ref}", "sales_order_rows": rows}]})
    site.act(ref, "cancel", by="SELLER")
    site.act(other, "cancel", by="SELLER")
    before = site.calls("katana")["GET /v1/sales_orders"]
    site.sync()
    assert site.fate(other) == ("cancelled", None)
    assert site.fate(ref) == (("cancelled", None) if copies == 1 else ("blocked", "cancelled-after-placement"))
    assert len(site.sales_orders()) == (0 if copies == 1 else 2)
    assert site.calls("katana")["GET /v1/sales_orders"] == before + 2  # an unpaid order is not looked for


def test_sales_order_of_another_tool_is_adopted_and_left_alone(site: Site) -> None:
    (ref,) = _ready(site, 1, shipping="5.00")
    made = {"order_no": "SO-77", "ecommerce_order_type": "other", "ecommerce_order_id": ref,
            "sales_order_rows": [{"sku": "MUG", "quantity": 1}]}  # fmt: skip
    site.katana_sim("seed", {"sales_orders": [made]})
    site.sync()
    assert site.fate(ref) == ("placed", None)
    assert [one["order_no"] for one in site.sales_orders()] == ["SO-77"]
    assert "POST /v1/sales_order_shipping_fee" not in site.calls("katana")


def test_two_sales_orders_for_one_order_block_and_both_are_named(site: Site) -> None:
    (ref,) = _ready(site, 1)
    made = {
        "ecommerce_order_type": "other",
        "ecommerce_order_id": ref,
        "sales_order_rows": [{"sku": "MUG", "quantity": 1}],
    }
    site.katana_sim("seed", {"sales_orders": [{**made, "order_no": "SO-1"}, {**made, "order_no": "SO-2"}]})
    site.sync()
    assert site.fate(ref) == ("blocked", "duplicate-in-erp")
    (problem,) = site.row(ref).reason or []
    assert "SO-1" in problem["what"]
    assert "SO-2" in problem["what"]
    assert CREATE not in site.calls("katana")


def test_sales_order_deleted_in_the_erp_is_not_made_again(site: Site) -> None:
    """Pitfall 9 of the ERP; deleted ones count as existing."""
    site.tiktok_sim("options", {"rotation": "survives"})
    (ref,) = _ready(site, 1)
    site.sync()
    (sales_order,) = site.sales_orders()
    key = site.katana.settings()["api_key"]
    url = f"{site.katana.url}/v1/sales_orders/{sales_order['id']}"
    assert site.http.delete(url, headers={"authorization": f"Bearer {key}"}).status_code in (200, 204)
    _lose_ledger(site)
    site.sync()
    assert site.fate(ref) == ("blocked", "deleted-in-erp")
    assert site.sales_orders() == []


def test_order_refused_by_the_erp_blocks_with_its_reason_and_goes_on_when_mended(site: Site) -> None:
    site.katana_sim("options", {"non_sellable_variant": "refuse"})
    site.seed_variants({"RAW": {"stock": 1, "sellable": False}})
    (ref,) = _ready(site, 1, lines=[{"sku": "RAW", "price": "5.00"}])
    site.sync()
    assert site.fate(ref)[0] == "blocked"
    (problem,) = site.row(ref).reason or []
    assert problem["what"]
    assert problem["do"]


def test_late_read_after_write_does_not_double(site: Site) -> None:
    """The ERP may show a new order only after a while; the settle time covers it."""
    site.katana_sim("options", {"order_visibility_s": "2"})
    (ref,) = _ready(site, 1)
    site.katana_sim(
        "faults", {"faults": [{"kind": "lost_reply", "match": "sales_orders$", "method": "POST", "times": 1}]}
    )
    site.sync()
    assert site.fate(ref) == ("placed", None)
    assert site.calls("katana")[CREATE] == 1


@pytest.mark.parametrize("kind", ["429", "503", "500", "cut_body", "drop", "lost_reply", "page_shift", "36009003"])
def test_fault_while_reading_loses_no_order(make_site: SiteMaker, kind: str) -> None:
    """Law 2: what the channel has, the ledger has, after at most one more pass."""
    site = make_site()
    refs = site.orders_made(count=350, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 60)
    site.advance(2 * HOUR)
    site.both("clock", {"rate": 20})
    site.tiktok_sim(
        "faults", {"faults": [{"kind": kind, "match": "orders/search", "probability": 0.5, "times": 4}], "seed": 3}
    )
    site.sync()
    site.tiktok_sim("faults", {"faults": []})
    site.advance(60)
    site.sync()
    assert site.fates() == {"placed": 350}
    assert _numbers(site) == sorted(f"TT-{ref}" for ref in refs)


@pytest.mark.parametrize("age_s", [60, 6 * HOUR])
def test_restored_backup_doubles_nothing_however_young(make_site: SiteMaker, age_s: int) -> None:
    """A backup from before the orders were placed, put back a minute or hours later."""
    site = make_site(routes=ROUTE + "      hold: 5m\n")
    text = (site.folder / "routes.yaml").read_text().replace("requests_per_second: 50", "hold_s: 0")
    (site.folder / "routes.yaml").write_text(text)
    site.tiktok_sim("options", {"rotation": "survives"})
    site.sync()  # the ledger watches before the orders are made
    refs = site.orders_made(count=5, on_hold=False, create_time=NOON, lines=[{"sku": "MUG", "price": "20.00"}])
    site.advance(30)
    site.sync()
    site.close_hub()
    backup = (site.folder / "hub.db").read_bytes()
    site.advance(300)
    site.sync()
    assert {site.fate(ref) for ref in refs} == {("placed", None)}
    site.close_hub()
    for file in Path(site.folder).glob("hub.db*"):
        file.unlink()
    (site.folder / "hub.db").write_bytes(backup)
    site.advance(age_s)
    site.sync()
    assert {site.fate(ref) for ref in refs} == {("placed", None)}
    assert site.calls("katana")[CREATE] == 5


def test_channel_order_reached_by_two_connections_is_placed_once(make_site: SiteMaker) -> None:
    """The key is the channel order's alone, and the database allows one effect per key."""
    site = make_site()
    text = (site.folder / "routes.yaml").read_text()
    start, end = text.index("  shop:\n"), text.index("  factory:\n")
    text = text.replace("  factory:\n", text[start:end].replace("  shop:", "  again:", 1) + "  factory:\n")
    second = "  - {name: again, channel: again, erp: factory, orders: {start: 2026-03-01}, "
    second += "fulfillments: {enabled: false}, inventory: {enabled: false}}\ntiming:"
    (site.folder / "routes.yaml").write_text(text.replace("timing:", second))
    _ready(site, 3)
    site.sync()
    assert len(site.sales_orders()) == 3
    assert site.fates() == {"placed": 3, "blocked": 3}


def test_order_cancelled_while_its_outcome_was_unknown_is_not_sent_again(site: Site) -> None:
    """Law 3: the send failed without effect, and meanwhile the order was cancelled."""
    (ref,) = _ready(site, 1)
    fault = {"kind": "500", "match": "sales_orders$", "method": "POST", "times": 1}
    site.katana_sim("faults", {"faults": [fault]})
    world = site.open()
    channels, erps = involved(world)
    crew = Crew(world, Progress(), threading.Event(), channels, erps)
    crew.round(pull_anyway=True)
    assert site.effects(ref)[0].state == "unknown"
    site.act(ref, "cancel", by="SELLER")
    site.advance(120)
    site.sync()
    assert site.fate(ref) == ("cancelled", None)
    assert site.sales_orders() == []


def test_order_that_waited_while_the_hub_was_down_is_read_again_before_it_is_sent(site: Site) -> None:
    """Law 3: decided hours ago, cancelled since, and the channel is away when the hub comes back."""
    (ref,) = _ready(site, 1)
    world = site.open()
    pull.pull_orders(world, world.connected["shop"])
    release.release(world, world.connected["shop"])
    assert site.fate(ref) == ("ready", None)
    site.close_hub()
    site.act(ref, "cancel", by="SELLER")
    site.advance(5 * HOUR)
    site.tiktok_sim("faults", {"faults": [{"kind": "36009003", "match": "orders"}]})
    site.sync()
    assert site.sales_orders() == []
    site.tiktok_sim("faults", {"faults": []})
    site.advance(HOUR)
    site.sync()
    assert site.fate(ref) == ("cancelled", None)
    assert site.sales_orders() == []
