"""The figures of calls that `make bench` prints, pinned: counted by the simulators on whole sites."""

from __future__ import annotations

import pytest

from bench import calls

ALLOWED = 1.1


def test_stock_costs_a_call_per_250_rows_and_one_per_product_that_changed() -> None:
    figures = calls.measure_stock(rows=260, changed=5)
    assert figures == {
        "stock.katana_calls_per_250_variants": 1,
        "stock.tiktok_calls_per_changed_product": 1,
        "stock.tiktok_calls_when_nothing_changed": 0,
    }


def test_parcels_cost_a_call_each_and_a_read_per_fifty_orders() -> None:
    """Several parcels of an order are told after one read of it, however many orders come at once."""
    figures = calls.measure_parcels(orders=51, parcels=2)
    assert figures["fulfillments.tiktok_calls_per_parcel"] == 1
    assert figures["fulfillments.tiktok_reads_per_50_orders"] == 1


@pytest.mark.slow
def test_quiet_hour_costs_the_sum_of_its_polls() -> None:
    """Katana: 12 polls of shipments, 4 pages of a sweep; TikTok: 60 searches of orders, 60 of cancellations.

    TikTok's catalogue is asked once an hour what changed, and the hourly proof reads 2 pages of orders, 1000 SKUs and
    the sales orders again, which is within the tenth; of shipments its reading stands for a poll.
    """
    made = calls.quiet_hour()
    katana, tiktok = made["katana"], made["tiktok"]
    assert katana["GET /v1/sales_order_fulfillments"] == calls.HOUR / calls.FULFILLMENTS_S
    assert katana[calls.INVENTORY] == 4
    assert sum(katana.values()) <= 16 * ALLOWED, katana
    assert tiktok["POST /order/202309/orders/search"] == calls.HOUR / calls.ORDERS_S + 2
    assert (tiktok["POST /product/202309/inventory/search"], katana["GET /v1/sales_orders"]) == (2, 1)
    assert sum(tiktok.values()) <= 120 * ALLOWED, tiktok
