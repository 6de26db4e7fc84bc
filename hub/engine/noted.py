"""What each write of a hook comes to, in words that a person and a program can compare. No buyer, no address."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub.contract import (
    Cancellation,
    Fulfillment,
    Listing,
    Order,
    Package,
    PlacedOrder,
    SalesOrder,
    SalesReturn,
    SellableStock,
)  # fmt: skip
from hub.engine.placed import expected_totals
from hub.engine.sequel import units_of_rows
from hub.engine.world import Connected
from hub.store import Store, Tx, known, orders, shipping
from hub.store import stock as ledger
from hub.store.orders import OrderRow

Detail = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlannedWrite:
    """One write that a pass would make. No buyer, no address, no secret.

    ``ref`` names what is written, within its kind and Connection. ``detail`` is what would be written; ``about``
    helps a person to judge it and may change without the write being another one.
    """

    kind: str
    connection: str
    ref: str
    order: str | None = None  # the channel's id
    route: str | None = None
    detail: Detail = field(default_factory=dict)
    about: Detail = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What is written where, in a few words; goods by their SKUs."""
        return f"{self.kind} {self.goods or self.ref} ({self.connection})"

    @property
    def goods(self) -> str:
        """The SKUs whose stock or listing it is; empty for other kinds, and for goods without one."""
        return ", ".join(self.detail.get("prices", ())) or str(self.detail.get("sku") or "")

    @property
    def digest(self) -> str:
        """A digest of what would be written."""
        said = [self.kind, self.connection, self.ref, self.order, self.route, self.detail]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Scene:
    """The ledger at the moment of one write; ``real`` is the ledger that a rehearsal copied."""

    real: Store
    tx: Tx
    connected: Connected
    hook: str

    def write(self, kind: str, ref: str, row: OrderRow | None = None, **detail: Any) -> PlannedWrite:
        """Return one write to this Connection."""
        return PlannedWrite(kind, self.connected.id, ref, row.ref if row else None, row.route if row else None, detail)

    def order(self, ref: str) -> OrderRow | None:
        """Return an order by the channel's id."""
        return orders.by_refs(self.tx, self.connected.id, [ref]).get(ref)

    def placed(self, ref: str) -> OrderRow | None:
        """Return an order by its sales order's id."""
        link = shipping.links_by_ref(self.tx, self.connected.id, [ref]).get(ref)
        return orders.by_ids(self.tx, [link.order_id])[link.order_id] if link is not None else None

    def keyed(self, key: str) -> OrderRow | None:
        """Return an order by its key."""
        return next((row for row in orders.find(self.tx, key) if row.key == key), None)

    def place(self, ref: str | None) -> str | None:
        """Return a location's name."""
        names = {each.ref: each.name for each in known.locations_of(self.tx, self.connected.id)}
        return names.get(ref or "", ref)

    def skus(self, rows: Sequence[Mapping[str, str]]) -> Detail:
        """Return the quantities of rows, as the ledger keeps them, by SKU."""
        return _summed(
            (each.sku or each.ref, each.quantity) for each in units_of_rows(self.tx, self.connected.id, rows)
        )


def _summed(pairs: Any) -> Detail:
    sums: dict[str, Any] = {}
    for name, quantity in pairs:
        sums[name] = sums.get(name, 0) + quantity
    return {name: _plain(quantity) for name, quantity in sorted(sums.items())}


def _plain(number: Decimal | str) -> str:
    """Return a number without trailing zeros."""
    return f"{Decimal(number).normalize():f}"


# -- what is noted


def _note_order(scene: Scene, order: SalesOrder, existing: PlacedOrder | None) -> list[PlannedWrite]:
    rows = [
        {"sku": r.sku, "quantity": _plain(r.quantity), "price": _plain(r.price), "discount": _plain(r.discount),
         "tax_rate": None if r.tax_rate is None else _plain(r.tax_rate), "location": scene.place(r.location_ref)}
        for r in order.rows
    ]  # fmt: skip
    fee = order.shipping
    shipping_fee = None if fee is None else {"amount": _plain(fee.amount), "description": fee.description}
    row, kind = scene.keyed(order.key.key), "place-order" if existing is None else "complete-order"
    made = scene.write(
        kind, order.key.key, row, location=scene.place(order.location_ref), rows=rows, shipping=shipping_fee,
        expected_total=str(expected_totals(order)[0]), currency=order.currency,
    )  # fmt: skip
    return [made]


def _note_change(scene: Scene, order: SalesOrder, existing: PlacedOrder) -> list[PlannedWrite]:
    kept = [{"ref": r.ref, "variant_ref": r.variant_ref, "quantity": str(r.quantity)} for r in existing.rows]
    after = _summed((r.sku, r.quantity) for r in order.rows)
    return [scene.write("change-order", existing.ref, scene.keyed(order.key.key), number=existing.number,
                        before=scene.skus(kept), after=after)]  # fmt: skip


def _note_cancel(scene: Scene, order_ref: str, reason: str | None) -> list[PlannedWrite]:
    placed = scene.placed(order_ref)
    if placed is None:
        return [scene.write("cancel-order", order_ref, scene.order(order_ref), reason=reason)]
    link = orders.links_of(scene.tx, [placed.id])[placed.id]
    return [scene.write("delete-order", order_ref, placed, number=link.number, before=scene.skus(link.rows or ()))]


def _note_fulfillment(scene: Scene, fulfillment: Fulfillment, order: Order | None) -> list[PlannedWrite]:
    if order is not None:
        kind = "tell-parcel" if scene.hook == "push_fulfillment" else "correct-tracking"
        skus, row = {line.ref: line.sku for line in order.lines}, scene.order(order.ref)
        return [_parcel(scene, kind, each, row, skus) for each in fulfillment.packages]
    if scene.hook == "update_fulfillment":
        return [
            scene.write("write-back", each.key, _of_parcel(scene, each.key), tracking=each.tracking_number)
            for each in fulfillment.packages
        ]
    row = scene.keyed(fulfillment.ref)
    link = orders.links_of(scene.tx, [row.id]).get(row.id) if row is not None else None
    rows = units_of_rows(scene.tx, scene.connected.id, link.rows or ()) if link is not None else ()
    return [
        _parcel(scene, "record-done", each, row, {unit.ref: unit.sku for unit in rows}) for each in fulfillment.packages
    ]


def _of_parcel(scene: Scene, key: str) -> OrderRow | None:
    parcel = shipping.parcel_of(scene.tx, scene.connected.id, key)
    return orders.by_ids(scene.tx, [parcel.order_id])[parcel.order_id] if parcel is not None else None


def _parcel(
    scene: Scene, kind: str, package: Package, row: OrderRow | None, skus: Mapping[str, str | None]
) -> PlannedWrite:
    units = _summed((skus.get(ref) or ref, quantity) for ref, quantity in package.lines.items())
    by_line = kind != "record-done"  # row ids of a sales order that is not made yet are not known
    lines = {ref: _plain(quantity) for ref, quantity in sorted(package.lines.items())} if by_line else {}
    return scene.write(
        kind, package.key, row, units=units, lines=lines, tracking=package.tracking_number, carrier=package.carrier,
        carrier_ref=package.carrier_ref, package=package.ref,
    )  # fmt: skip


def _note_decision(scene: Scene, cancellation: Cancellation, accept: bool, reason: str | None) -> list[PlannedWrite]:
    row = scene.order(cancellation.order_ref)
    return [scene.write("answer-cancellation", cancellation.ref, row, accept=accept, lines=list(cancellation.lines))]


def _note_return(scene: Scene, sales_return: SalesReturn) -> list[PlannedWrite]:
    row = scene.placed(sales_return.order_ref)
    link = orders.links_of(scene.tx, [row.id]).get(row.id) if row is not None else None
    rows = units_of_rows(scene.tx, scene.connected.id, link.rows or ()) if link is not None else ()
    skus = {each.ref: each.sku for each in rows}
    units = _summed((skus.get(ref) or ref, quantity) for ref, quantity in sales_return.rows.items())
    place = scene.place(sales_return.location_ref)
    return [
        scene.write("book-return", sales_return.key, row, units=units, location=place, restock=sales_return.restock)
    ]


def _note_stock(scene: Scene, stock: Sequence[SellableStock]) -> list[PlannedWrite]:
    skus = known.skus_of(scene.tx, scene.connected.id, [each.variant_ref for each in stock])
    with scene.real.read() as tx:
        told = ledger.stock_of(tx, scene.connected.id)
    found = []
    for each in stock:
        was = told[each.variant_ref].quantities if each.variant_ref in told else None
        terms = ledger.terms_of(scene.tx, scene.connected.id, each.variant_ref) or {}
        found.append(
            PlannedWrite(
                "set-stock", scene.connected.id, each.variant_ref, None, None,
                {"sku": skus.get(each.variant_ref), "product": each.product_ref, "quantities": dict(each.quantities)},
                {
                    "before": was,
                    "places": {ref: scene.place(ref) for ref in each.quantities},
                    "terms": [
                        {"sku": part["sku"]} | {name: _plain(part[name]) for name in ("available", "unknown", "buffer")}
                        for part in terms.get("parts", ())
                    ],
                },
            )
        )  # fmt: skip
    return found


def _note_listings(scene: Scene, listings: Sequence[Listing]) -> list[PlannedWrite]:
    return [
        scene.write(
            "list-product" if each.ref is None else "update-listing", each.key, listing=each.ref, title=each.title,
            publish=each.publish.value, category=each.category, currency=each.currency,
            prices={variant.sku: _plain(variant.price) for variant in each.variants},
            pictures=[picture.name for picture in each.pictures],
            content=hashlib.sha256(each.model_dump_json(exclude={"pictures"}).encode()).hexdigest()[:16],
        )
        for each in listings
    ]  # fmt: skip


def _note_label(scene: Scene, package_ref: str) -> list[PlannedWrite]:
    return [scene.write("save-label", package_ref)]


def note_other(scene: Scene, **arguments: Any) -> list[PlannedWrite]:
    return [scene.write(scene.hook.replace("_", "-"), ", ".join(sorted(arguments)))]


NOTES: Mapping[str, Callable[..., list[PlannedWrite]]] = {
    "push_order": _note_order,
    "update_order": _note_change,
    "cancel_order": _note_cancel,
    "push_fulfillment": _note_fulfillment,
    "update_fulfillment": _note_fulfillment,
    "decide_cancellation": _note_decision,
    "push_return": _note_return,
    "push_inventory": _note_stock,
    "push_products": _note_listings,
    "fetch_label": _note_label,
}
