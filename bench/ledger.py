"""A ledger as full as that of years: written in bulk by the database itself, since the hub would take hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import sqlalchemy as sa

from hub.contract import (
    Customer,
    Fulfillment,
    LineItem,
    Order,
    OrderKey,
    OrderStatus,
    Package,
    SalesOrder,
    SalesOrderRow,
    Totals,
)  # fmt: skip
from hub.engine.ledger import Intent
from hub.store import Store
from hub.store.tables import EPOCH, MILLISECOND

FIRST = 576_460_000_000_000_000  # the channel's ids are this and a number
REF, SKU, HERE, PLACE = "100000000000000000", "SKU-0", "9001", "WH-1"
TAIL = {"placed": 6_000, "held": 2_500, "unpaid": 1_000, "blocked": 500}  # of a million: the youngest, still open


@dataclass(frozen=True, slots=True)
class Size:
    """How much is in it; of several shops, each has an ERP of its own, and orders and SKUs are dealt out in turn."""

    orders: int = 1_000_000
    skus: int = 100_000
    shops: int = 1


Names = tuple[str, str, str]


def fill(store: Store, size: Size, now: datetime, names: Names = ("shop", "factory", "route")) -> None:
    """Fill an empty ledger; ``names`` are the channel, the ERP and the Route, of several shops with a number each."""
    if not store.is_shared:
        _hurry(store)
    at = (now - EPOCH) // MILLISECOND
    words = {"at": at, "count": size.orders, "skus": size.skus, "shops": size.shops, "first": FIRST, **_documents(now)}
    for statement in _statements(store, size, names):
        used = {name: value for name, value in words.items() if f":{name}" in statement}
        with store.write() as tx:
            tx.execute(sa.text(statement), used)
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tx:
        tx.exec_driver_sql("ANALYZE" if store.is_shared else "PRAGMA wal_checkpoint(TRUNCATE)")


def _hurry(store: Store) -> None:
    """Survive no power cut: what is lost is filled again."""

    @sa.event.listens_for(store.engine, "checkout")
    def hurry(connection: sa.engine.interfaces.DBAPIConnection, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]
        connection.execute("PRAGMA cache_size=-400000")  # type: ignore[attr-defined]


def _documents(now: datetime) -> dict[str, str]:
    """Return what the hub would keep of one order, with words that the database replaces."""
    early = datetime(2025, 1, 1, tzinfo=UTC)
    line = LineItem(ref=f"{REF}1", sku=SKU, name="A mug, blue", quantity=Decimal(1), price=Decimal("20.00"))
    totals = Totals(items=Decimal("20.00"), shipping=Decimal("4.90"), tax=Decimal("1.60"), total=Decimal("26.50"))
    order = Order(
        ref=REF, key=f"TT-{REF}", shop="7495000000000000001", status=OrderStatus.OPEN,
        channel_status="AWAITING_SHIPMENT", created_at=early, updated_at=early, paid_at=early,
        hold_until=early + timedelta(hours=1), region="US", currency="USD",
        lines=(line.model_copy(update={"tax": Decimal("1.60")}),), totals=totals,
    )  # fmt: skip
    row = SalesOrderRow(variant_ref=HERE, sku=SKU, quantity=Decimal(1), price=Decimal("20.00"))
    key = OrderKey(key=order.key, channel="tiktok", shop=order.shop, ref=REF, ordered_at=early)
    customer = Customer(reference="tiktok:7495000000000000001", name="Shop")
    made = SalesOrder(key=key, customer=customer, currency="USD", ordered_at=early, location_ref=None, rows=(row,))
    intent = Intent(sales_order=made, digest="d" * 64, document="d" * 64)
    package = Package(key=REF, lines={REF: Decimal(1)}, tracking_number=f"1Z{REF}", carrier="UPS")
    shipment = Fulfillment(ref=REF, order_ref=REF, packages=(package,), delivered=True)
    return {
        "document": order.model_dump_json(exclude_defaults=True),
        "payload": intent.model_dump_json(exclude_defaults=True),
        "shipment": shipment.model_dump_json(exclude_defaults=True),
    }


_HOUR, _DAY = 3_600_000, 86_400_000


def _orders_of(size: Size, names: Names) -> str:
    """Return the common beginning: every order by its number, oldest first, with its shop and where it stands."""
    tail = {fate: max(1, n * size.orders // 1_000_000) for fate, n in TAIL.items()}
    ends, left = [], size.orders - sum(tail.values())
    for fate, n in tail.items():
        left += n
        ends.append(f"WHEN n <= {left} THEN '{fate}'")
    channel, erp, route = _numbered(size, names, "n")
    done = "CASE n % 50 WHEN 0 THEN 'cancelled' WHEN 1 THEN 'skipped' ELSE 'fulfilled' END"
    return f"""
WITH RECURSIVE s(n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM s WHERE n < :count),
o AS (
  SELECT n, CAST(:first + n AS TEXT) AS ref, 'TT-' || CAST(:first + n AS TEXT) AS key,
    {channel} AS shop, {erp} AS erp, {route} AS route, n % :skus AS sku, :at - (:count - n) * 60000 - {_HOUR} AS made,
    CASE WHEN n <= {size.orders - sum(tail.values())} THEN {done} {" ".join(ends)} END AS fate
  FROM s)
"""


def _numbered(size: Size, names: Names, by: str) -> Names:
    channel, erp, route = (
        f"'{name}'" + (f" || CAST({by} % :shops AS TEXT)" if size.shops > 1 else "") for name in names
    )
    return channel, erp, route


def _statements(store: Store, size: Size, names: Names) -> list[str]:
    json = "CAST({} AS JSON)" if store.is_shared else "{}"
    of, (channel, erp, _) = _orders_of(size, names), _numbered(size, names, "sku")
    sku, detail = "'SKU-' || CAST(sku AS TEXT)", """'{"route": "us", "status": "AWAITING_SHIPMENT"}'"""
    text = f"replace(replace({{}}, '{REF}', ref), '{SKU}', {sku})"
    placed = "fate IN ('placed', 'fulfilled')"
    rows = """'[{"ref": "' || ref || '", "variant_ref": "' || CAST(sku AS TEXT) || '", "quantity": "1"}]'"""
    lines = """'{"' || ref || '1": "1"}'"""
    events = ", ".join(f"({n}, '{event}')" for n, event in enumerate(
        ("pulled", "held", "ready", "sent", "placed", "fulfilled")))  # fmt: skip
    goods = f"""WITH RECURSIVE s(sku) AS (
  SELECT CAST(0 AS BIGINT) UNION ALL SELECT sku + 1 FROM s WHERE sku + 1 < :skus),
g AS (SELECT CAST(sku AS TEXT) AS ref, 'SKU-' || CAST(sku AS TEXT) AS name, {channel} AS shop, {erp} AS erp,
  CASE WHEN sku > :skus - {sum(TAIL.values()) * size.orders // 1_000_000} THEN '1' ELSE '0' END AS taken FROM s)"""
    one, fields = json.format(f"""'{{"{PLACE}": 0}}'"""), "gone, product_ref, places, stockable, status, product_name"
    return [
        f"""INSERT INTO orders (id, connection, ref, key, channel_status, created_at, updated_at, first_seen_at,
  read_at, digest, document, route, fate, cause, release_at, due_at, placed_digest, is_open, recorded, rechecks) {of}
SELECT n, shop, ref, key, 'AWAITING_SHIPMENT', made, made, made, CASE WHEN fate IN ('placed', 'held', 'unpaid',
  'blocked') THEN :at ELSE made END, 'd' || ref, {text.format("CAST(:document AS TEXT)")}, route,
  CASE fate WHEN 'unpaid' THEN 'held' ELSE fate END,
  CASE fate WHEN 'held' THEN 'hold' WHEN 'unpaid' THEN 'unpaid' WHEN 'blocked' THEN 'money-unbalanced' END,
  made + {_HOUR}, CASE WHEN fate IN ('held', 'blocked') THEN :at + {_DAY} END,
  CASE WHEN {placed} THEN 'd' END, fate IN ('placed', 'held', 'unpaid', 'blocked'), false, 0 FROM o""",
        f"""INSERT INTO sales_orders (order_id, erp, key, ref, number, adopted, linked_at, rows) {of}
SELECT n, erp, key, ref, 'TT-' || ref, false, made + {_HOUR}, {json.format(rows)} FROM o WHERE {placed}""",
        f"""INSERT INTO outbox (kind, target, key, order_id, priority, state, due_at, look_first, attempts, deadline_at,
  payload) {of}
SELECT 'place-order', erp, key, n, 20, 'done', made + {_HOUR}, false, 1, made + {_HOUR},
  {text.format("CAST(:payload AS TEXT)")} FROM o WHERE {placed}""",
        f"""INSERT INTO timeline (order_id, at, event, detail) {of}, e(nr, event) AS (VALUES {events})
SELECT n, made + nr * 60000, event, {json.format(detail)}
FROM o CROSS JOIN e WHERE nr < 2 OR {placed} ORDER BY n, nr""",
        f"""INSERT INTO packages (order_id, erp, key, lines, tracking_number, carrier, state, package_ref,
  told_tracking, told_at, attempts) {of}
SELECT n, erp, ref, {json.format(lines)}, '1Z' || ref, 'UPS', 'done', ref, '1Z' || ref, made + {_DAY}, 1 FROM o
WHERE fate = 'fulfilled'""",
        f"""INSERT INTO fulfillments (connection, ref, order_ref, document, digest, first_seen_at, asked) {of}
SELECT erp, ref, ref, {text.format("CAST(:shipment AS TEXT)")}, 'd' || ref, made + {_DAY}, 0 FROM o
WHERE fate = 'fulfilled'""",
        *(
            f"""INSERT INTO variants (connection, ref, sku, name, kind, {fields}) {goods}
SELECT {side}, ref, name, name, 'product', false, 'P' || ref, {places}, true, '', name FROM g"""
            for side, places in (("erp", "NULL"), ("shop", json.format(f"""'["{PLACE}"]'""")))
        ),
        f"""INSERT INTO levels (connection, variant_ref, location_ref, in_stock, committed, potential, read_at) {goods}
SELECT erp, ref, '{HERE}', '40', '0', '0', :at FROM g""",
        f"""INSERT INTO stock (connection, variant_ref, quantities, committed, read_at, demand, target, terms,
  pushed_at) {goods} SELECT shop, ref, {one}, taken, :at, taken, {one}, {json.format("'{}'")}, :at FROM g""",
    ]
