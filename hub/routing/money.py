"""Does an Order's money add up? Law 8: to the cent, every term by name, before anything is pushed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hub.contract import LineItem, LineStatus, Order, Totals
from hub.routing.fate import Problem

ZERO = Decimal(0)
HALF_CENT = Decimal("0.005")
_TERMS: tuple[tuple[str, Callable[[Totals], Decimal], Callable[[LineItem], Decimal]], ...] = (
    ("items", lambda totals: totals.items, lambda line: line.price * line.quantity),
    ("seller_discount", lambda totals: totals.seller_discount, lambda line: line.seller_discount),
    ("channel_discount", lambda totals: totals.channel_discount, lambda line: line.channel_discount),
    ("tax", lambda totals: totals.tax, lambda line: line.tax or ZERO),
)


def imbalances(order: Order) -> tuple[Problem, ...]:
    """Return one Problem per term that does not add up; none where the Order balances exactly."""
    totals = order.totals
    expected = (
        totals.items
        - totals.seller_discount
        - totals.channel_discount
        + totals.shipping
        - totals.shipping_seller_discount
        - totals.shipping_channel_discount
        + sum((fee.amount for fee in totals.fees), ZERO)
        + (ZERO if order.taxes_included else totals.tax + totals.shipping_tax)
    )
    wrong = [] if expected == totals.total else [_problem(order, "total", totals.total, expected)]
    for term, stated, of in _TERMS:
        if term == "tax" and (order.taxes_included or any(line.tax is None for line in order.lines)):
            continue  # the channel does not state tax by line
        everything = sum((of(line) for line in order.lines), ZERO)
        slack = HALF_CENT * len(order.lines) if term == "tax" else ZERO  # each line's tax is rounded, the order's once
        if abs(stated(totals) - everything) <= slack:
            continue
        # Whether a partly cancelled order's totals keep the cancelled lines is not documented by channels.
        remaining = sum((of(line) for line in order.lines if line.status is not LineStatus.CANCELLED), ZERO)
        if abs(stated(totals) - remaining) > slack:
            wrong.append(_problem(order, term, stated(totals), everything))
    return tuple(wrong)


def _problem(order: Order, term: str, stated: Decimal, expected: Decimal) -> Problem:
    return Problem(
        "money-unbalanced",
        f"{term} says {stated} {order.currency}, its parts add up to {expected}",
        "Compare the order on the channel; if it is right there, report this order's terms as a connector fault.",
    )
