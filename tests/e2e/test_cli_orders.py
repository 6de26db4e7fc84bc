"""Sync, look, hold, retry: the commands of an operator's day, as real processes."""

from __future__ import annotations

import json
import signal
import sqlite3
import time
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Hub
from tests.site import HOUR, ROUTE, Site

LEFT_TO_A_PERSON = ROUTE + "      on_cancel: block\n      on_change: block\n"


def test_sync_reads_holds_and_places(site: Site, hub: Hub) -> None:
    ref = site.order()
    first = hub("sync")
    assert first.code == 0
    assert "channel-hold" in first.out
    assert "+1" in first.out
    site.advance(HOUR)
    second = hub("sync", "--json")
    assert second.code == 0
    assert second.json["pass"]["sent"] >= 1
    assert {"connection": "shop", "fate": "placed", "cause": None, "orders": 1, "change": 1} in second.json["orders"]
    assert [order["ecommerce_order_id"] for order in site.sales_orders()] == [ref]


def test_sync_says_what_failed_and_keeps_the_rest(site: Site, hub: Hub) -> None:
    site.order()
    hub("sync")
    site.advance(HOUR)
    site.katana_sim("options", {"key_revoked": "yes"})
    ran = hub("sync")
    assert ran.code == 1
    assert "connection factory failed; its work is kept:" in ran.err
    assert "do:" in ran.err
    assert site.environ()["API_KEY"] not in ran.out + ran.err


def test_sync_of_one_route_refuses_an_unknown_one(hub: Hub) -> None:
    ran = hub("sync", "use")
    assert ran.code == 1
    assert "route-unknown: there is no route 'use'" in ran.err
    assert "Did you mean us?" in ran.err


def rows(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    connection = sqlite3.connect(database)
    tables = ("orders", "sales_orders", "outbox", "timeline", "cursors", "variants", "memory", "route_starts")
    found = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    connection.close()
    return found


def test_dry_run_shows_the_sales_orders_and_touches_nothing(site: Site, hub: Hub) -> None:
    """Nothing is written anywhere: not in the ERP, not in the ledger, byte for byte."""
    ref = site.order(lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}, {"sku": "TEE", "price": "15.00"}])
    blocked = site.order(lines=[{"sku": "NO-SUCH", "price": "5.00"}])
    hub("sync")
    site.advance(HOUR)
    before = rows(site.folder / "hub.db")
    ran = hub("sync", "--dry-run")
    assert ran.code == 0, ran.err
    assert f"TT-{ref}" in ran.out
    assert f"TT-{blocked}" not in ran.out
    assert "Would place 1 sales order: 55.00 USD in factory" in ran.out
    assert "1  blocked (variant-unmapped)" in ran.out
    assert rows(site.folder / "hub.db") == before
    assert site.sales_orders() == []
    assert [call for call in site.katana_sim("journal", method="GET")["calls"] if call["wrote"]] == []


def test_dry_run_as_json_gives_every_row(site: Site, hub: Hub) -> None:
    ref = site.order(lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}])
    hub("sync")
    site.advance(HOUR)
    planned = hub("sync", "--dry-run", "--json").json["would_place"]
    assert [(each["ref"], each["expected_total"], each["currency"]) for each in planned] == [(ref, "40.00", "USD")]
    (row,) = planned[0]["sales_order"]["rows"]
    assert (row["sku"], row["quantity"], row["price"]) == ("MUG", "2", "20")
    assert planned[0]["sales_order"]["address"] is None


def test_dry_run_keeps_renewed_tokens(site: Site, hub: Hub) -> None:
    """A refresh token may die with its use, so the one from a rehearsal must not be thrown away with the copy."""
    site.order()
    assert hub("sync", "--dry-run").code == 0
    assert hub("sync").code == 0


def test_orders_lists_newest_first_with_counts(site: Site, hub: Hub) -> None:
    refs = [site.order(create_time=1_772_452_800 - 600 + n) for n in range(3)]
    hub("sync")
    ran = hub("orders", "--limit", "2")
    assert ran.code == 0
    assert ran.out.startswith("3 orders: 3 held")
    assert "and 1 more" in ran.out
    assert sorted(each["ref"] for each in hub("orders", "--json").json["orders"]) == sorted(refs)
    assert hub("orders", "--fate", "blocked", "--json").json["orders"] == []
    assert hub("orders", "--fate", "lost").code == 2


def test_order_tells_why_and_shows_no_buyer(site: Site, hub: Hub) -> None:
    ref = site.order(lines=[{"sku": "NO-SUCH", "price": "5.00"}])
    hub("sync")
    site.advance(HOUR)
    hub("sync")
    ran = hub("order", ref)
    assert ran.code == 0
    assert "blocked (variant-unmapped)" in ran.out
    assert "SKU NO-SUCH" in ran.out
    assert "Create the variant there" in ran.out
    facts = hub("order", f"TT-{ref}", "--json").json
    assert facts["why"][0]["code"] == "variant-unmapped"
    state = site.tiktok_sim(f"orders/{ref}", method="GET")
    document = str(state)
    for text in (ran.out, str(facts)):
        assert "recipient" not in text
        assert all(word not in text for word in ("Example Ave", "Sample St", "Invented Rd"))
    assert ref in document


def test_unknown_order_is_told_with_the_way_to_look(site: Site, hub: Hub) -> None:
    hub("sync")
    ran = hub("order", "4711")
    assert (ran.code, ran.out) == (1, "")
    assert "order-unknown: no order has the id or key '4711'" in ran.err
    assert "hub orders" in ran.err
    assert hub("order", "4711", "--json").json["error"]["code"] == "order-unknown"


def test_order_held_by_hand_stays_and_released_goes(site: Site, hub: Hub) -> None:
    ref = site.order()
    hub("sync")
    site.advance(HOUR)
    held = hub("hold", "add", ref, "--reason", "wrong size?")
    assert held.code == 0
    assert f"hub hold release {ref}" in held.out
    hub("sync")
    assert site.sales_orders() == []
    assert "a person holds it: wrong size?" in hub("order", ref).out
    released = hub("hold", "release", ref)
    assert released.code == 0
    assert "a running hub picks it up" in released.err
    hub("sync")
    assert len(site.sales_orders()) == 1
    refused = hub("hold", "add", ref)
    assert refused.code == 1
    assert f"it is too late to hold it: its sales order TT-{ref} in factory exists" in refused.err


def test_release_by_hand_does_not_end_the_channels_hold(site: Site, hub: Hub) -> None:
    ref = site.order()
    hub("sync")
    ran = hub("hold", "release", ref, "--json")
    assert ran.json[0]["cause"] == "channel-hold"
    hub("sync")
    assert site.sales_orders() == []


def test_retry_sends_a_mended_order_at_once(site: Site, hub: Hub) -> None:
    ref = site.order(lines=[{"sku": "NEW", "price": "5.00"}])
    hub("sync")
    site.advance(HOUR)
    hub("sync")
    site.seed_variants({"NEW": 5})
    assert hub("retry", "--blocked", "--json").json[0]["ref"] == ref
    hub("sync")
    assert len(site.sales_orders()) == 1
    assert hub("retry").code == 2
    assert "not-blocked" in hub("retry", ref).err


def test_retry_of_an_order_cancelled_after_placement_asks_the_erp(site: Site, hub: Hub) -> None:
    site.write_routes(LEFT_TO_A_PERSON)
    ref = site.order()
    hub("sync")
    site.advance(HOUR)
    hub("sync")
    site.act(ref, "cancel")
    site.advance(120)
    hub("sync")
    still = hub("retry", ref)
    assert still.code == 1
    assert f"sales-order-lives: its sales order is still there: TT-{ref}" in still.err
    (order,) = site.sales_orders()
    answer = site.http.delete(
        f"{site.katana.url}/v1/sales_orders/{order['id']}",
        headers={"Authorization": f"Bearer {site.environ()['API_KEY']}"},
    )
    assert answer.status_code < 300
    gone = hub("retry", ref, "--json")
    assert gone.code == 0, gone.err
    assert gone.json[0]["fate"] == "cancelled"
    assert hub("order", ref, "--json").json["sales_order"] is None
    hub("sync")
    assert site.sales_orders() == []


def test_retry_after_a_change_counts_it_as_handled(site: Site, hub: Hub) -> None:
    site.write_routes(LEFT_TO_A_PERSON)
    ref = site.order(lines=[{"sku": "MUG", "price": "20.00"}, {"sku": "TEE", "price": "15.00"}])
    hub("sync")
    site.advance(HOUR)
    hub("sync")
    site.act(ref, "cancel_line", sku="TEE")
    site.advance(120)
    hub("sync")
    assert hub("orders", "--json").json["orders"][0]["cause"] == "changed-after-placement"
    assert hub("retry", ref, "--json").json[0]["fate"] == "placed"


def test_sync_is_refused_what_another_process_works_for(site: Site, hub: Hub) -> None:
    site.both("clock", {"rate": 1})
    daemon = hub.start("run")
    try:
        _until(lambda: site.total_calls("tiktok") > 0)
        ran = hub("sync")
        assert ran.code == 1
        assert "connection-busy: another hub process works for shop, factory right now" in ran.err
        assert hub("orders").code == 0
        link = site.folder.parent / "link.db"
        link.symlink_to(site.folder / "hub.db")
        assert "connection-busy" in hub("sync", "--database", str(link)).err
        second = hub("run")
        assert second.code == 1
        assert "connection-busy" in second.err
        third = [json.loads(line) for line in hub("run", "--log", "json").err.splitlines()]
        assert (third[-1]["event"], third[-1]["code"]) == ("hub-failed", "connection-busy")
    finally:
        daemon.terminate()
        daemon.communicate(timeout=15)


def _until(condition: Any, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_daemon_places_orders_and_ends_within_ten_seconds(site: Site, hub: Hub) -> None:
    site.both("clock", {"rate": 60})
    ref = site.order(create_time=int(site.tiktok_sim("clock", method="GET")["now"]) - HOUR + 60)
    for number in (signal.SIGTERM, signal.SIGINT):
        daemon = hub.start("run", "--log", "json")
        assert daemon.stderr is not None
        started = daemon.stderr.readline()
        assert '"event": "hub-started"' in started
        _until(lambda: len(site.sales_orders()) == 1)
        began = time.monotonic()
        daemon.send_signal(number)
        out, err = daemon.communicate(timeout=15)
        assert time.monotonic() - began < 10
        assert (daemon.returncode, out) == (0, ""), err
        assert '"event": "hub-stopped"' in err
        assert "Traceback" not in err
    assert hub("order", ref, "--json").json["brief"]["fate"] == "placed"


def test_daemon_ends_within_ten_seconds_with_a_call_still_open(site: Site, hub: Hub) -> None:
    """What was in flight is looked up at the next start: one sales order, whatever became of the call."""
    routes = site.folder / "routes.yaml"
    routes.write_text(routes.read_text().replace("timeout: 2s", "timeout: 60s"))
    ref = site.order()
    hub("sync")
    site.advance(HOUR)
    site.katana_sim("faults", {"faults": [{"kind": "slow", "match": "sales_orders", "method": "POST", "seconds": 20}]})
    daemon = hub.start("run", "--log", "json")
    _until(lambda: "POST /v1/sales_orders" in site.calls("katana"))
    began = time.monotonic()
    daemon.terminate()
    _, err = daemon.communicate(timeout=15)
    assert time.monotonic() - began < 10
    assert daemon.returncode == 128 + signal.SIGTERM
    *_, last = (json.loads(line) for line in err.splitlines())
    assert last["event"] == "call-left-open"
    assert last["what"] == "stopped with a call still open; the next start looks up what became of it"
    site.katana_sim("faults", {"faults": []})
    site.advance(300)
    assert hub("sync").code == 0
    assert [order["ecommerce_order_id"] for order in site.sales_orders()] == [ref]


def test_run_once_with_trace_shows_calls_without_secrets_or_buyers(site: Site, hub: Hub) -> None:
    """Law 12."""
    site.order()
    hub("sync")
    site.advance(HOUR)
    ran = hub("run", "--once", "--trace")
    assert ran.code == 0, ran.err
    assert "pull_orders(since=" in ran.err
    assert "push_order(order=SalesOrder()" in ran.err
    assert "push_order -> PlacedOrder(" in ran.err
    assert "http  POST /v1/sales_orders -> 200" in ran.err
    secrets = [site.environ()[name] for name in ("API_KEY", "APP_SECRET", "REFRESH_TOKEN")]
    assert all(secret not in ran.err for secret in (*secrets, "access_token", "Example Ave"))
