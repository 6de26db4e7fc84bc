"""``hub plan`` and ``hub apply``, as real processes."""

from __future__ import annotations

import json
import time
from typing import Any

from tests.e2e.conftest import Hub
from tests.e2e.test_cli_orders import rows
from tests.flow.test_products import show_goods
from tests.site import HOUR, ROUTE, Site


def wrote(site: Site) -> list[str]:
    """Return the calls that changed anything in either system, tokens left out."""
    calls: list[dict[str, Any]] = []
    for simulator in (site.tiktok, site.katana):
        calls += site.sim(simulator.url, "journal", method="GET")["calls"]
    return [f"{c['method']} {c['path']}" for c in calls if c["wrote"] and "/token" not in c["path"]]


def test_planned_pass_is_applied_as_planned_and_a_stale_plan_is_refused(site: Site, hub: Hub) -> None:
    ref = site.order(lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}])
    hub("sync")
    site.advance(HOUR)
    before = rows(site.folder / "hub.db")
    ran = hub("plan", "--out", "plan.json")
    assert ran.code == 0, ran.err
    assert f"place TT-{ref} in factory: 2 x MUG; 40.00 USD" in ran.out
    assert "1 write: 1 place-order" in ran.out
    assert "hub apply plan.json" in ran.out
    assert (rows(site.folder / "hub.db"), wrote(site)) == (before, [])
    kept = json.loads((site.folder / "plan.json").read_text())
    assert [(each["kind"], each["order"]) for each in kept["writes"]] == [("place-order", ref)]

    site.write_routes(ROUTE + "      skus: {MUG: [{sku: TEE}]}\n")
    stale = hub("apply", "plan.json")
    assert (stale.code, stale.out) == (1, "")
    assert "plan-stale: what would be written is not what was planned" in stale.err
    assert f"the route file was changed; changed: place-order TT-{ref} (factory), rows" in " ".join(stale.err.split())
    assert hub("apply", "plan.json", "--json").json["error"]["code"] == "plan-stale"
    assert (rows(site.folder / "hub.db"), wrote(site)) == (before, [])

    assert hub("plan", "--out", "plan.json").code == 0  # over the older plan
    done = hub("apply", "plan.json", "--json")
    assert done.code == 0, done.err
    assert (done.json["planned"], done.json["pass"]["sent"]) == (1, 1)
    assert "As planned: 1 write: 1 place-order" in done.err
    assert wrote(site).count("POST /v1/sales_orders") == 1
    again = hub("apply", "plan.json")
    assert again.code == 1
    assert f"removed: place-order TT-{ref}" in " ".join(again.err.split())
    assert hub("plan", "--json").json["writes"] == []


def test_orders_on_their_way_when_a_process_was_killed_are_planned(site: Site, hub: Hub) -> None:
    """What was claimed and not sent is sent by the pass once its claim is over, so the plan says so before."""
    made = [site.order() for _ in range(12)]
    hub("sync")
    site.advance(HOUR)
    site.katana_sim("options", {"latency_ms": "1500"})
    doomed = hub.start("sync")
    end = time.monotonic() + 30
    while not site.calls("katana").get("POST /v1/sales_orders") and time.monotonic() < end:
        time.sleep(0.02)
    doomed.kill()
    doomed.communicate()
    site.katana_sim("options", {"latency_ms": "0"})
    time.sleep(1.6)  # what was on its way has arrived
    there = {each["order_no"] for each in site.sales_orders()}
    left = sorted(ref for ref in made if f"TT-{ref}" not in there)
    assert left
    dry = hub("sync", "--dry-run")
    assert f"Would place {len(left)} sales order" in dry.out
    planned = hub("plan", "--out", "plan.json", "--json")
    assert planned.code == 0, planned.err
    assert sorted(each["order"] for each in planned.json["writes"]) == left
    site.both("clock", {"rate": 1})
    done = hub("apply", "plan.json", "--json")
    assert done.code == 0, done.err
    assert wrote(site).count("POST /v1/sales_orders") == len(there) + len(left)
    assert sorted(each["order_no"] for each in site.sales_orders()) == sorted(f"TT-{ref}" for ref in made)


def test_plan_is_not_kept_where_something_could_not_be_read_or_would_be_overwritten(site: Site, hub: Hub) -> None:
    assert "file-exists" in hub("plan", "--out", "routes.yaml").err
    assert "plan-unreadable" in hub("apply", "routes.yaml").err
    site.order()
    hub("sync")
    site.advance(HOUR)
    site.katana_sim("options", {"key_revoked": "yes"})
    ran = hub("plan", "--out", "plan.json")
    assert ran.code == 1
    assert "The plan is not whole. Nothing was written to plan.json." in ran.err
    assert not (site.folder / "plan.json").exists()
    assert "plan-unreadable: there is no such plan" in hub("apply", "plan.json").err


LISTINGS = """\
    inventory: {enabled: false}
    products: {publish: draft, skus: ["MUG"], images: images, weight: 420g, size_cm: [12, 10, 10]}
"""


def test_planned_listing_is_shown_by_sku_and_made_only_as_planned(site: Site, hub: Hub) -> None:
    show_goods(site.folder, "MUG")
    site.write_routes(ROUTE.replace("    inventory: {enabled: false}\n", LISTINGS))
    ran = hub("plan", "--out", "plan.json")
    assert ran.code == 0, ran.err
    assert "Listings" in ran.out
    assert "draft on shop: Mug; MUG 20 USD" in " ".join(ran.out.split())
    assert "1 write: 1 list-product" in ran.out
    site.katana_sim("do/variant", {"sku": "MUG", "price": "23.50"})
    stale = hub("apply", "plan.json")
    assert stale.code == 1
    assert "changed: list-product MUG (shop), prices" in " ".join(stale.err.split())
    assert wrote(site) == []
    assert hub("plan", "--out", "plan.json").code == 0
    assert hub("apply", "plan.json").code == 0
    assert wrote(site).count("POST /product/202309/products") == 1
