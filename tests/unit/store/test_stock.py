"""Levels, channels' stock, switches and orders that take stock, as the ledger keeps them; on both databases."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from hub.contract import OrderStatus, StockLevel, Variant
from hub.store import Store, known, stock
from hub.store import orders as order_store
from hub.store.orders import Link
from hub.store.tables import orders, outbox
from tests.conftest import NOON, OrderMaker
from tests.unit.engine.ledger_rows import put, put_effect

HOUR = timedelta(hours=1)


def level(ref: str, in_stock: str, place: str = "1", **more: Any) -> StockLevel:
    return StockLevel(variant_ref=ref, location_ref=place, in_stock=Decimal(in_stock), **{"at": NOON, **more})


def test_younger_level_replaces_the_older_of_the_same_place_only(store: Store) -> None:
    with store.write() as tx:
        stock.set_levels(tx, "erp", [level("7", "3.25000", committed=Decimal("-1.5")), level("7", "9", "2")])
        stock.set_levels(tx, "erp", [level("7", "4", at=NOON + HOUR)])
        stock.set_levels(tx, "other", [level("7", "100")])
        found = {row.location_ref: row for row in stock.levels_of(tx, "erp", ["1", "2"])}
    assert (found["1"].in_stock, found["1"].committed, found["1"].read_at) == (Decimal(4), 0, NOON + HOUR)
    assert found["2"].in_stock == 9


def test_readings_are_the_oldest_and_the_youngest_of_the_named_places(store: Store) -> None:
    with store.write() as tx:
        assert stock.readings(tx, "erp", ["1"]) == (None, None)
        stock.set_levels(tx, "erp", [level("7", "1"), level("8", "1", at=NOON + HOUR)])
        stock.set_levels(tx, "erp", [level("7", "1", "2", at=NOON - HOUR)])
        assert stock.readings(tx, "erp", ["1"]) == (NOON, NOON + HOUR)


def test_channel_variant_keeps_where_and_whether_it_is_sold(store: Store) -> None:
    mug = Variant(ref="1", sku="MUG", product_ref="p", places=("w2", "w1"), stockable=False, status="DRAFT: a draft")
    with store.write() as tx:
        known.remember_variants(tx, "shop", [mug, Variant(ref="2", sku="TEE", gone=True)])
        (item,) = stock.items(tx, "shop")
    assert (item.places, item.stockable, item.status, item.product_ref) == (["w2", "w1"], False, "DRAFT: a draft", "p")


def test_sku_may_stand_for_several_variants_and_services_for_none(store: Store) -> None:
    found = [
        Variant(ref="2", sku="MUG"), Variant(ref="1", sku="MUG"), Variant(ref="3", sku="MUG", gone=True),
        Variant(ref="4", sku="SHIPPING", kind="service"), Variant(ref="5", sku=None),
    ]  # fmt: skip
    with store.write() as tx:
        known.remember_variants(tx, "erp", found)
        assert stock.refs_by_sku(tx, "erp") == {"MUG": ["1", "2"]}


def test_stock_is_inserted_or_changed_and_what_is_not_named_stays(store: Store) -> None:
    row = {"variant_ref": "1", "quantities": {"w": 4}, "committed": Decimal(2), "read_at": NOON, "demand": Decimal(1)}
    with store.write() as tx:
        stock.put_stock(tx, "shop", [row])
        told = {"quantities": None, "target": {"w": 9}, "terms": {"total": 9}}
        stock.put_stock(tx, "shop", [{"variant_ref": ref, **told} for ref in ("1", "2")])
        found = stock.stock_of(tx, "shop")
        assert stock.terms_of(tx, "shop", "1") == {"total": 9}
        assert stock.terms_of(tx, "shop", "3") is None
        assert stock.stock_of(tx, "other") == {}
    assert (found["1"].quantities, found["1"].committed, found["1"].target) == (None, Decimal(2), {"w": 9})
    assert (found["2"].read_at, found["2"].target) == (None, {"w": 9})


def test_unknown_quantities_are_null_in_the_database_too(store: Store) -> None:
    """Nobody knows what it sells: no JSON word for it, or a person's query would count it as known."""
    with store.write() as tx:
        stock.put_stock(tx, "shop", [{"variant_ref": "1", "quantities": {"w": 1}}])
        stock.put_stock(tx, "shop", [{"variant_ref": "1", "quantities": None}])
        assert stock.stock_of(tx, "shop")["1"].quantities is None


def test_retries_are_told_by_channel(store: Store) -> None:
    with store.write() as tx:
        stock.put_stock(tx, "shop", [{"variant_ref": "1", "retry_at": NOON}, {"variant_ref": "2", "retry_at": None}])
        assert stock.retries(tx, "shop") == [NOON]
        assert stock.retries(tx, "other") == []


def test_switch_of_a_person_is_kept_changed_and_taken_back(store: Store) -> None:
    with store.write() as tx:
        stock.set_switch(tx, "shop", "MUG", False)
        stock.set_switch(tx, "shop", "TEE", True)
        stock.set_switch(tx, "shop", "MUG", True)
        stock.set_switch(tx, "shop", "TEE", None)
        assert stock.switches_of(tx, "shop") == {"MUG": True}
        assert stock.switches_of(tx, "other") == {}


def test_open_orders_are_those_with_units_to_ship_and_those_just_placed(store: Store, make_order: OrderMaker) -> None:
    """A shipped order still counts where the reading may be older than its sales order."""
    ids = [put(store, make_order(ref), "placed", is_open=ref == "1") for ref in ("1", "2", "3")]
    with store.write() as tx:
        for id_, at in zip(ids[1:], (NOON, NOON + HOUR), strict=True):
            order_store.link(tx, [Link(id_, "erp", f"k{id_}", f"s{id_}", "n", False, at)])
        everything, young = stock.open_orders(tx, "shop", None), stock.open_orders(tx, "shop", NOON)
    assert [row.id for row in everything] == ids[:1]
    assert [(row.id, row.is_open, row.linked_at) for row in young] == [
        (ids[0], True, None),
        (ids[2], False, NOON + HOUR),
    ]


def test_only_sends_that_may_have_made_a_sales_order_count_as_sent(store: Store, make_order: OrderMaker) -> None:
    states = ["pending", "sending", "unknown", "done", "blocked"]
    ids = {state: put(store, make_order(state), "ready") for state in states}
    for state, id_ in ids.items():
        put_effect(store, id_, f"k-{state}", state)
    with store.write() as tx:
        tx.execute(sa.update(outbox).values(attempts=1, deadline_at=NOON))
        found = stock.sent(tx, "erp", list(ids.values()))
    assert found == dict.fromkeys((ids["sending"], ids["unknown"], ids["done"]), NOON)


def test_order_that_is_shipped_is_no_longer_open(store: Store, make_order: OrderMaker) -> None:
    id_ = put(store, make_order(status=OrderStatus.SHIPPED), "fulfilled")
    with store.write() as tx:
        stock.close(tx, [id_])
        assert tx.execute(sa.select(orders.c.is_open)).scalar() is False
