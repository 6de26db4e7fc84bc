"""What followed an order's placement, for a person: its rows, parcels, cancellations, returns. No address, no buyer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.contract import Cancellation, Order, Return
from hub.engine.why import Why, whys
from hub.store import Tx, cancellations, known, orders, returns, shipping
from hub.store.cancellations import CancellationRow
from hub.store.orders import Link, OrderRow
from hub.store.returns import ReturnRow
from hub.store.shipping import Parcel


@dataclass(frozen=True, slots=True)
class Units:
    """Units of one line or row; ``sku`` is None where nothing names it any more."""

    ref: str
    sku: str | None
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class SalesOrderLink:
    """The sales order that exists for an order; ``rows`` as the ERP last showed them, in its SKUs."""

    erp: str
    number: str
    ref: str
    adopted: bool
    linked_at: datetime
    rows: tuple[Units, ...] = ()


@dataclass(frozen=True, slots=True)
class ParcelView:
    """One parcel: what the ERP says of it, and what the channel was told and when."""

    shipment: str
    state: str
    lines: tuple[Units, ...]
    tracking_number: str | None
    carrier: str | None
    package: str | None
    told_tracking: str | None
    told_at: datetime | None
    due_at: datetime | None
    attempts: int
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class CancellationView:
    """One cancellation, of the whole order or of some lines (``lines``; empty: all); ``decision`` is our answer."""

    ref: str
    state: str
    by_buyer: bool
    lines: tuple[str, ...]
    decision: str | None
    decide_by: datetime | None
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class ReturnView:
    """Goods that come back, and the sales return they became."""

    ref: str
    status: str
    received: bool
    lines: tuple[Units, ...]
    state: str
    sales_return: str | None
    why: tuple[Why, ...]


@dataclass(frozen=True, slots=True)
class Sequel:
    """Everything that followed."""

    sales_order: SalesOrderLink | None
    parcels: tuple[ParcelView, ...]
    cancellations: tuple[CancellationView, ...]
    returns: tuple[ReturnView, ...]


def sequel(tx: Tx, row: OrderRow, order: Order) -> Sequel:
    """Return what followed an order."""
    skus = {line.ref: line.sku for line in order.lines}
    link = orders.links_of(tx, [row.id]).get(row.id)
    return Sequel(
        _sales_order(tx, link) if link is not None else None,
        tuple(_parcel(each, skus, row.ref) for each in shipping.parcels_of(tx, [row.id]).get(row.id, [])),
        tuple(_cancellation(each) for each in cancellations.of_order(tx, row.connection, row.ref)),
        tuple(_return(each, skus, row.ref) for each in returns.of_order(tx, row.connection, row.ref)),
    )


def _sales_order(tx: Tx, link: Link) -> SalesOrderLink:
    return SalesOrderLink(
        link.erp, link.number, link.ref, link.adopted, link.linked_at, units_of_rows(tx, link.erp, link.rows or ())
    )


def units_of_rows(tx: Tx, erp: str, rows: Sequence[Mapping[str, str]]) -> tuple[Units, ...]:
    """Return rows of a sales order, as the ledger keeps them, in the ERP's SKUs."""
    skus = known.skus_of(tx, erp, {each["variant_ref"] for each in rows})
    return tuple(Units(each["ref"], skus.get(each["variant_ref"]), Decimal(each["quantity"])) for each in rows)


def _parcel(each: Parcel, skus: Mapping[str, str | None], ref: str) -> ParcelView:
    lines = tuple(Units(line, skus.get(line), Decimal(units)) for line, units in sorted(each.lines.items()))
    return ParcelView(
        each.key, each.state, lines, each.tracking_number, each.carrier, each.package_ref, each.told_tracking,
        each.told_at, each.due_at, each.attempts, whys(each.reason, ref),
    )  # fmt: skip


def _cancellation(each: CancellationRow) -> CancellationView:
    value = Cancellation.model_validate_json(each.document)  # its reason may be the buyer's own words: not shown
    return CancellationView(
        each.ref, each.state, value.by_buyer, value.lines, each.decision, value.decide_by, whys(each.reason)
    )


def _return(each: ReturnRow, skus: Mapping[str, str | None], ref: str) -> ReturnView:
    value = Return.model_validate_json(each.document)
    lines = tuple(Units(line.line_ref, line.sku or skus.get(line.line_ref), line.quantity) for line in value.lines)
    return ReturnView(
        each.ref, value.status, value.received, lines, each.state, each.sales_return_ref, whys(each.reason, ref)
    )
