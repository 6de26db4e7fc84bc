"""What the ledger remembers of Routes that are renamed or gone, on both kinds of database."""

from __future__ import annotations

from datetime import timedelta

from hub.contract import Fulfillment
from hub.store import Store, Tx, homes, known, orders, shipping
from hub.store.orders import Link
from tests.conftest import NOON
from tests.unit.store.test_database import _order

LATER = NOON + timedelta(hours=1)


def placed(tx: Tx, *routes: str | None) -> list[int]:
    """Record an order of each of these Routes, with a sales order in ``erp``; return their ids."""
    refs = [str(n) for n in range(len(routes))]
    ids = orders.insert(tx, [{**_order(ref), "route": route} for ref, route in zip(refs, routes, strict=True)])
    orders.link(tx, [Link(ids[ref], "erp", f"X-{ref}", f"s{ref}", f"TT-{ref}", False, NOON) for ref in refs])
    return [ids[ref] for ref in refs]


def test_open_orders_are_astray_whose_route_is_gone_unknown_or_leads_elsewhere(store: Store) -> None:
    with store.write() as tx:
        here, gone, none, moved = placed(tx, "us", "old", None, "eu")
        connection = orders.by_ids(tx, [here])[here].connection
        assert sorted(homes.astray(tx, connection, {"us": "erp", "eu": "other"})) == [gone, none, moved]
        assert sorted(homes.astray(tx, connection, {})) == [here, gone, none, moved]
        assert homes.astray(tx, "another", {}) == []
        orders.update(tx, [{"id": gone, "is_open": False}])
        assert sorted(homes.astray(tx, connection, {"us": "erp", "eu": "other"})) == [none, moved]


def test_former_names_are_those_that_took_orders_with_their_starts(store: Store) -> None:
    with store.write() as tx:
        (id_, *_) = placed(tx, "us", "old", None)
        connection = orders.by_ids(tx, [id_])[id_].connection
        assert homes.former(tx, connection, ["us"]) == ["old"]
        known.route_start(tx, "old", NOON)
        assert homes.starts(tx, ["old", "us"]) == {"old": NOON}
        homes.set_start(tx, "us", NOON)
        assert known.route_start(tx, "us", LATER) == NOON


def test_only_shipments_that_were_left_alone_wake_with_their_route(store: Store) -> None:
    with store.write() as tx:
        placed(tx, "us", "old")
        values = {ref: Fulfillment(ref=ref, order_ref=f"s{ref}", packages=()) for ref in ("0", "1")}
        shipping.see(tx, "erp", {ref: (value, "{}", ref) for ref, value in values.items()}, NOON)
        shipping.set_due(tx, "erp", [("0", None, homes.OFF), ("1", None, homes.OFF)])
        homes.wake_shipments(tx, "erp", ["us"], LATER)
        assert [seen.ref for seen in shipping.due_fulfillments(tx, "erp", LATER, 10)] == ["0"]
        shipping.set_due(tx, "erp", [("0", None, 0)])
        homes.wake_shipments(tx, "erp", ["us"], LATER)
        assert shipping.due_fulfillments(tx, "erp", LATER, 10) == []
