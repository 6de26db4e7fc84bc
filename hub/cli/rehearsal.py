"""How a dry run looks: every sales order that would be made, every other write, and what would stay behind."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.text import Text

from hub.cli import plan_view, show
from hub.contract import SalesOrder
from hub.engine.plan import write_facts
from hub.engine.rehearse import Planned, Rehearsal

STAYING = ("held", "blocked")


def facts(result: Rehearsal) -> dict[str, Any]:
    """Return the rehearsal for programs."""
    return {
        "dry_run": True,
        "would_place": [
            {
                "ref": each.ref,
                "key": each.key,
                "connection": each.connection,
                "route": each.route,
                "erp": each.erp,
                "location": each.location,
                "expected_total": each.expected_total,
                "currency": each.currency,
                "sales_order": each.sales_order,
            }
            for each in result.planned
        ],
        "staying": [
            {"connection": c.connection, "fate": c.fate, "cause": c.cause, "orders": c.orders}
            for c in result.after
            if c.fate in STAYING
        ],
        "writes": [write_facts(each) for each in result.writes],
        "reads": result.reads,
    }


def print_planned(result: Rehearsal) -> None:
    """Print each sales order with its rows, then what stays behind by count."""
    console = show.console()
    for each in result.planned:
        console.print(_heading(each))
        console.print(_rows(each.sales_order))
        console.print()
    noun = "sales order" if len(result.planned) == 1 else "sales orders"
    sums: dict[tuple[str, str], Decimal] = {}
    for each in result.planned:
        sums[each.erp, each.currency] = sums.get((each.erp, each.currency), Decimal(0)) + each.expected_total
    total = ", ".join(f"{show.money(amount)} {currency} in {erp}" for (erp, currency), amount in sorted(sums.items()))
    console.print(Text(f"Would place {len(result.planned)} {noun}" + (f": {total}" if total else ""), style="bold"))
    others = [each for each in result.writes if each.kind != "place-order"]
    if others:
        console.print("Would also do:")
        plan_view.print_writes(console, others)
    staying = [count for count in result.after if count.fate in STAYING]
    if staying:
        console.print("Would stay:")
        for count in staying:
            text = Text(f"  {count.orders:>5}  ") + show.fate_text(count.fate, count.cause)
            console.print(text + Text(f"  {count.connection}", style="bright_black"))
    console.print("Nothing was sent and nothing was recorded. To do it: hub sync", style="bright_black")


def _heading(each: Planned) -> Text:
    order = each.sales_order
    text = Text(each.key, style="bold")
    text.append(f"  {each.connection} to {each.erp}, route {each.route}\n", style="")
    text.append(f"  customer {show.clean(order.customer.name)}")
    text.append(f", location {show.clean(each.location)}" if each.location else ", the ERP's default location")
    text.append(f"; expected total {show.money(each.expected_total)} {each.currency}")
    return text


def _rows(order: SalesOrder) -> Any:
    rows: list[tuple[show.Cell, ...]] = [
        (
            "  " + row.sku,
            show.number(row.quantity),
            show.money(row.price),
            show.money(row.discount) if row.discount else "",
            f"{show.number(row.tax_rate)} %" if row.tax_rate is not None else "",
        )
        for row in order.rows
    ]
    if order.shipping is not None:
        rate = f"{show.number(order.shipping.tax_rate)} %" if order.shipping.tax_rate is not None else ""
        rows.append((f"  {order.shipping.description}", "", show.money(order.shipping.amount), "", rate))
    headings = ("  SKU", "quantity", "net price", "discount", "tax")
    return show.table(headings, rows, right=headings[1:])
