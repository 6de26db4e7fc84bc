"""An order's way from the channel to the ERP, over real HTTP."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.flow.conftest import SiteMaker
from tests.site import HOUR, NOON, ROUTE, Site


def test_order_is_held_for_an_hour_and_then_arrives(site: Site) -> None:
    """M1, M4: it becomes a Not delivered sales order, matched by SKU, once its hold is over."""
    ref = site.order(lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}, {"sku": "TEE", "price": "15.00"}])
    site.sync()
    assert site.fate(ref) == ("held", "channel-hold")
    assert site.sales_orders() == []
    site.advance(HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)
    (sales_order,) = site.sales_orders()
    assert sales_order["order_no"] == f"TT-{ref}"
    assert sales_order["status"] == "NOT_SHIPPED"
    assert sales_order["ecommerce_order_id"] == ref
    assert [row["quantity"] for row in sales_order["sales_order_rows"]] == [2, 1]


def test_order_edited_in_the_hold_arrives_edited(site: Site) -> None:
    """Law 3, whether or not an edit moves the channel's update time."""
    for moves in ("yes", "no"):
        site.tiktok_sim("options", {"edits_move_update_time": moves})
        ref = site.order(create_time=int(site.tiktok_sim("clock", method="GET")["now"]) - 60)
        site.sync()
        site.act(ref, "edit", lines=[{"sku": "TEE", "quantity": 3, "price": "15.00"}])
        site.advance(HOUR)
        site.sync()
        assert site.fate(ref) == ("placed", None)
        sales_order = next(one for one in site.sales_orders() if one["ecommerce_order_id"] == ref)
        assert [row["quantity"] for row in sales_order["sales_order_rows"]] == [3]


def test_order_cancelled_in_the_hold_never_arrives(site: Site) -> None:
    ref = site.order()
    site.sync()
    site.act(ref, "cancel")
    site.advance(HOUR)
    site.sync()
    assert site.fate(ref) == ("cancelled", None)
    assert site.sales_orders() == []


def test_order_is_read_again_at_release_although_the_feed_was_silent(site: Site) -> None:
    """T: is_on_hold_order false goes straight to AWAITING_SHIPMENT; the buyer's free hour is ours to keep."""
    site.tiktok_sim("options", {"edits_move_update_time": "no"})
    ref = site.order(on_hold=False)
    site.sync()
    assert site.fate(ref) == ("held", "hold")
    site.act(ref, "set", fields={"buyer_message": "Ring twice"})
    site.advance(HOUR - 120)
    site.sync()
    assert site.sales_orders() == []
    site.advance(120)
    site.sync()
    assert site.fate(ref) == ("placed", None)
    assert site.sales_orders()[0]["additional_info"] == "Ring twice"


def test_unpaid_order_waits_until_it_is_paid(site: Site) -> None:
    ref = site.order(paid_time=None)
    site.sync()
    assert site.fate(ref) == ("held", "unpaid")
    site.advance(3 * HOUR)
    site.sync()
    assert site.fate(ref) == ("held", "unpaid")
    site.act(ref, "pay")
    site.advance(HOUR - 60)
    site.sync()
    assert site.fate(ref)[0] == "held"
    site.advance(120)
    site.sync()
    assert site.fate(ref) == ("placed", None)


def test_unknown_sku_blocks_its_order_and_no_other_and_heals_by_itself(site: Site) -> None:
    """Law 4."""
    bad = site.order(lines=[{"sku": "MUG", "price": "20.00"}, {"sku": "HAT", "price": "9.00"}])
    good = site.order()
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(good) == ("placed", None)
    assert site.fate(bad) == ("blocked", "variant-unmapped")
    (problem,) = site.row(bad).reason or []
    assert "HAT" in problem["what"]
    site.seed_variants({"HAT": 5})
    site.advance(HOUR)
    site.sync()
    assert site.fate(bad) == ("placed", None)
    assert len(site.sales_orders()) == 2


def test_every_kind_of_order_meets_its_fate(site: Site) -> None:
    """Gifts and samples cost nothing but ship; bundles ship their parts; FBT never arrives (law 6)."""
    fbt = site.order(kind="fbt")
    gift = site.order(kind="gift", lines=[{"sku": "MUG", "price": "20.00"}, {"sku": "TEA", "gift": True}])
    sample = site.order(kind="sample")
    bundle = site.order(lines=[{"sku": "SET", "price": "30.00", "bundle": [{"sku": "MUG", "count": 1},
                                                                           {"sku": "TEA", "count": 2}]}])  # fmt: skip
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(fbt) == ("skipped", "fulfilled-by-channel")
    assert {site.fate(ref) for ref in (gift, sample, bundle)} == {("placed", None)}
    placed = {one["ecommerce_order_id"]: one for one in site.sales_orders()}
    prices = [Decimal(row["price_per_unit"]) for row in placed[gift]["sales_order_rows"]]
    assert sorted(prices) == [0, 20]
    assert Decimal(str(placed[sample]["total"])) == 0
    assert [row["quantity"] for row in placed[bundle]["sales_order_rows"]] == [1, 2]
    assert fbt not in placed


def test_orders_from_before_the_start_are_skipped(make_site: SiteMaker) -> None:
    site = make_site(routes=ROUTE.replace("start: 2026-03-01", "start: now"))
    old = site.order(create_time=NOON - 60, paid_time=None)
    site.sync()
    site.act(old, "pay")
    site.advance(60)
    shipped = site.order(create_time=NOON + 10, status="IN_TRANSIT")
    new = site.order(create_time=NOON + 30)
    site.sync()
    assert site.fate(old) == ("skipped", "before-start")
    assert site.fate(shipped) == ("skipped", "before-start")
    assert site.fate(new)[0] == "held"


def test_tax_inclusive_market_arrives_net(make_site: SiteMaker) -> None:
    """Pitfall 14 of the ERP: row prices exclude tax; net = gross / (1 + rate)."""
    route = ROUTE + "      tax: {mode: fixed, rate: 20, create_rates: true}\n"
    site = make_site(routes=route)
    ref = site.order(market="GB", lines=[{"sku": "MUG", "quantity": 2, "price": "24.00"}])
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)
    (row,) = site.sales_orders()[0]["sales_order_rows"]
    assert Decimal(row["price_per_unit"]) == 20
    assert row["tax_rate_id"] is not None


def test_missing_tax_rate_blocks_unless_new_ones_are_switched_on(make_site: SiteMaker) -> None:
    """Tax rates cannot be deleted there, so none is made unasked."""
    site = make_site(routes=ROUTE + "      tax: {mode: fixed, rate: 20}\n")
    ref = site.order(market="GB")
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("blocked", "tax-rate-missing")
    assert not any("tax_rates" in call and call.startswith("POST") for call in site.calls("katana"))


def test_shipping_the_buyer_pays_arrives_as_a_fee(site: Site) -> None:
    ref = site.order(shipping="5.00")
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)
    (sales_order,) = site.sales_orders()
    assert Decimal(sales_order["shipping_fee"]["amount"]) == 5


def test_cancellation_after_placement_blocks_with_the_remedy(make_site: SiteMaker) -> None:
    site = make_site(routes=ROUTE + "      on_cancel: block\n")
    ref = site.order()
    site.advance(2 * HOUR)
    site.sync()
    site.act(ref, "cancel")
    site.advance(60)
    site.sync()
    assert site.fate(ref) == ("blocked", "cancelled-after-placement")


def test_line_cancelled_after_placement_blocks(make_site: SiteMaker) -> None:
    site = make_site(routes=ROUTE + "      on_change: block\n")
    ref = site.order(lines=[{"sku": "MUG", "quantity": 2, "price": "20.00"}])
    site.advance(2 * HOUR)
    site.sync()
    site.act(ref, "cancel_line", sku="MUG", quantity=1)
    site.advance(60)
    site.sync()
    assert site.fate(ref) == ("blocked", "changed-after-placement")


def test_shipping_on_the_channel_makes_a_placed_order_fulfilled(site: Site) -> None:
    ref = site.order()
    site.advance(2 * HOUR)
    site.sync()
    site.act(ref, "ship")
    site.advance(60)
    site.sync()
    assert site.fate(ref) == ("fulfilled", None)


def test_second_pass_changes_nothing_and_writes_nothing(site: Site) -> None:
    """Law 11."""
    refs = site.orders_made(count=30, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 60)
    site.advance(2 * HOUR)
    site.sync()
    rows = {ref: site.row(ref) for ref in refs}
    events = {ref: site.events(ref) for ref in refs}
    posts = site.calls("katana").get("POST /v1/sales_orders")
    site.sync()
    assert posts == site.calls("katana").get("POST /v1/sales_orders") == 30
    assert {ref: site.events(ref) for ref in refs} == events
    assert {ref: site.row(ref).digest for ref in refs} == {ref: row.digest for ref, row in rows.items()}


def test_switched_off_route_makes_not_one_call(make_site: SiteMaker) -> None:
    """M6, M7: off means not one call."""
    site = make_site(routes=ROUTE.replace("orders:\n", "orders:\n      enabled: false\n"))
    site.order()
    site.advance(2 * HOUR)
    site.sync()
    assert site.total_calls("tiktok") == 0
    assert site.total_calls("katana") == 0


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_flow_is_the_same_on_every_database(make_site: SiteMaker, kind: str, request: pytest.FixtureRequest) -> None:
    options = {"database": request.getfixturevalue("postgres_database")} if kind == "postgresql" else {}
    site = make_site(**options)
    refs = site.orders_made(count=120, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 60)
    blocked = site.order(lines=[{"sku": "HAT", "price": "9.00"}])
    site.sync()
    site.advance(HOUR)
    site.sync()
    assert site.fates() == {"placed": 120, "blocked": 1}
    assert site.events(refs[0]) == ["pulled", "held", "changed", "held", "ready", "sent", "placed"]
    assert site.fate(blocked) == ("blocked", "variant-unmapped")
    assert len({one["order_no"] for one in site.sales_orders()}) == 120


def test_free_order_whose_lines_list_a_price_arrives_at_nothing(site: Site) -> None:
    """T-71: a sample or replacement may list what its goods would cost, while its payment counts nothing."""
    ref = site.order(kind="sample")
    line = site.tiktok_sim(f"orders/{ref}", method="GET")["order"]
    assert line
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)


def test_order_on_hold_is_held_although_its_region_is_not_told_yet(make_site: SiteMaker) -> None:
    """The address, and so the region, comes with the end of the channel's hold: no alarm until then."""
    site = make_site(routes=ROUTE + "      when: {region: [US]}\n")
    site.tiktok_sim("options", {"hold_address": "left_out"})
    ref = site.order()
    site.sync()
    assert site.fate(ref) == ("held", "channel-hold")
    site.advance(HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)


def test_order_blocked_by_what_the_channel_says_is_read_again_and_heals(site: Site) -> None:
    ref = site.order()
    site.act(ref, "set", fields={"status": "WARPED"})
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("blocked", "status-unknown")
    site.act(ref, "set", fields={"status": "AWAITING_SHIPMENT"})  # without a new update time, so the feed is silent
    site.advance(HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)


def test_two_erps_behind_one_channel_get_their_own_orders(make_site: SiteMaker) -> None:
    """Effects are one per key and ERP; withdrawn ones of both come back."""
    second = '  second:\n    connector: katana\n    settings: {api_key: "${API_KEY}", api_url: "URL/v1"}\nroutes:'
    site = make_site()
    text = (site.folder / "routes.yaml").read_text().replace("routes:", second.replace("URL", site.katana.url), 1)
    both = (
        "  - {name: mugs, channel: shop, erp: factory, orders: {start: 2026-03-01, when: {skus: [MUG]}}, "
        "fulfillments: {enabled: false}, inventory: {enabled: false}}\n"
        "  - {name: rest, channel: shop, erp: second, orders: {start: 2026-03-01}, "
        "fulfillments: {enabled: false}}\n"
    )
    text = text[: text.index("  - name: us")] + both + text[text.index("timing:") :]
    (site.folder / "routes.yaml").write_text(text)
    refs = [site.order(), site.order(lines=[{"sku": "TEE", "price": "15.00"}])]
    site.advance(2 * HOUR)
    site.katana_sim("options", {"key_revoked": "yes"})
    site.sync()
    site.katana_sim("options", {"key_revoked": "no"})
    for _ in range(2):
        site.advance(HOUR)
        site.sync()
    assert {site.fate(ref) for ref in refs} == {("placed", None)}
    assert len(site.sales_orders()) == 2
