"""``hub reconcile``: every order accounted for, and what is not is named."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

from tests.e2e.conftest import Hub
from tests.site import HOUR, ROUTE, Site

SHIPS = ROUTE.replace("fulfillments: {enabled: false}", "fulfillments: {enabled: true}")


def placed(site: Site, hub: Hub, **spec: Any) -> str:
    """Have one order placed."""
    ref = site.order(**spec)
    assert hub("sync").code == 0
    site.advance(HOUR)
    assert hub("sync").code == 0
    return ref


def later(site: Site) -> None:
    """Let the time pass within which a change may still come by itself."""
    site.advance(HOUR)


def katana(site: Site, method: str, path: str, **more: Any) -> Any:
    """Do what a person with the same key would."""
    headers = {"Authorization": f"Bearer {site.environ()['API_KEY']}"}
    answer = site.http.request(method, f"{site.katana.url}/v1{path}", headers=headers, **more)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def test_every_order_of_the_window_has_one_fate(site: Site, hub: Hub) -> None:
    placed(site, hub)
    site.order(lines=[{"sku": "NO-SUCH", "price": "5.00"}])
    site.order(create_time=int(site.tiktok_sim("clock", method="GET")["now"]) - 60)
    cancelled = site.order()
    site.act(cancelled, "cancel")
    site.act(site.order(), "ship", tracking_number="1ZBEFORE")
    assert hub("sync").code == 0
    later(site)
    done = hub("--json", "reconcile")
    assert done.code == 0
    told, made = done.json["shops"][0]["orders"], done.json["erps"][0]["sales_orders"]
    assert told["told"] == 5 == sum(told["fates"].values())
    assert told["fates"] == {"placed": 1, "blocked": 1, "held": 1, "cancelled": 1, "skipped: before-start": 1}
    assert made == {"told": 1, "fates": {"single": 1}, "doubled": [], "lost": []}
    shown = hub("reconcile")
    assert "5 orders changed = " in shown.out
    assert " + 1 skipped (before-start)" in shown.out
    assert "all accounted for" in shown.out


def test_a_second_sales_order_is_named_with_both_numbers(site: Site, hub: Hub) -> None:
    ref = placed(site, hub)
    (first,) = site.sales_orders()
    rows = [{"variant_id": row["variant_id"], "quantity": 1, "price_per_unit": 20} for row in first["sales_order_rows"]]
    names = ("customer_id", "ecommerce_order_type", "ecommerce_store_name", "ecommerce_order_id")
    body = {**{name: first[name] for name in names}, "order_no": "BY-HAND", "sales_order_rows": rows}
    katana(site, "POST", "/sales_orders", json=body)
    done = hub("reconcile")
    assert done.code == 1
    assert f"{ref}: " in done.out
    assert "BY-HAND" in done.out
    assert f"TT-{ref}" in done.out
    assert "not all accounted for" in done.out
    shown = hub("order", ref).out
    assert "duplicate-in-erp" in shown
    assert "BY-HAND" in shown


def test_the_last_proof_is_shown_again_without_any_call(site: Site, hub: Hub) -> None:
    refused = hub("reconcile", "--last")
    assert refused.code == 1
    assert "no-proof" in refused.err
    placed(site, hub)
    made = hub("--json", "reconcile").json
    before = site.total_calls("tiktok"), site.total_calls("katana")
    again = hub("--json", "reconcile", "--last")
    assert (again.code, again.json) == (0, made)
    assert "all accounted for" in hub("reconcile", "--last").out
    assert (site.total_calls("tiktok"), site.total_calls("katana")) == before


def test_a_sales_order_that_is_gone_is_named(site: Site, hub: Hub) -> None:
    ref = placed(site, hub)
    later(site)
    (order,) = site.sales_orders()
    katana(site, "DELETE", f"/sales_orders/{order['id']}")
    done = hub("--json", "reconcile")
    assert done.code == 1
    assert done.json["erps"][0]["sales_orders"]["lost"] == [f"{ref}: TT-{ref} (id {order['id']})"]


def test_an_order_the_ledger_does_not_know_is_named_until_it_is_read(site: Site, hub: Hub) -> None:
    placed(site, hub)
    lost = site.order()
    assert hub("sync").code == 0
    later(site)
    site.close_hub()
    with closing(sqlite3.connect(hub.folder / "hub.db", isolation_level=None)) as ledger:
        ledger.execute("DELETE FROM orders WHERE ref = ?", (lost,))
    done = hub("--json", "reconcile")
    assert done.code == 1
    assert done.json["shops"][0]["orders"]["missing"] == [lost]


def test_shipments_of_the_window_are_counted_by_what_became_of_them(site: Site, hub: Hub) -> None:
    site.write_routes(SHIPS)
    ref = placed(site, hub, lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}])
    site.katana_sim("do/ship", {"order_no": f"TT-{ref}", "status": "DELIVERED", "quantities": {"MUG": 2}})
    later(site)
    done = hub("--json", "reconcile")
    assert done.code == 1, done.out
    left = done.json["erps"][0]["shipments"]
    assert (left["told"], left["fates"], len(left["unread"])) == (1, {}, 1)
    assert hub("sync").code == 0
    done = hub("--json", "reconcile")
    assert done.code == 0
    assert done.json["erps"][0]["shipments"] == {"told": 1, "fates": {"waiting: shop": 1}, "unread": []}


def test_a_window_that_is_none_is_refused(site: Site, hub: Hub) -> None:
    for since in ("yesterday", "99999999d"):
        refused = hub("reconcile", "--since", since)
        assert refused.code == 2
        assert "write 90m, 24h or 7d" in refused.err
    assert hub("forecast", "--within", "99999999d").code == 2
    assert hub("forecast", "--within", "365d").code == 0
    assert hub("connect", "shop", "--timeout", "99999999d").code == 2
