"""How values look to people and to programs."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from hub.cli.order import _terms, detail_text
from hub.cli.run import shape
from hub.cli.show import age, clean, fate_text, money, number, plain, table
from hub.contract import Address, Buyer
from tests.conftest import NOON, OrderMaker


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (3660, "1h 1m"), (90_000, "1d 1h"),
        (-30, "in 30s"), (-7200, "in 2h"),
    ],
)  # fmt: skip
def test_age_is_told_in_its_largest_units(seconds: int, text: str) -> None:
    assert age(NOON, NOON + timedelta(seconds=seconds)) == text


@pytest.mark.parametrize("width", [24, 40, 80, 120, 140])
def test_tables_cut_no_id_and_no_number_and_lose_no_word(width: int) -> None:
    """A number of which a part is missing is a wrong number, and half an id finds nothing."""
    long_sku, ref = "KETTLE-08-" + "X" * 29, "576000000000000003"
    cause = fate_text("blocked", "sales-order-changed-by-hand")
    if width == 24:  # a word may go on in the next line there, and is whole all the same
        long_sku = "KETTLE-08-XXXXXX"
        cause = fate_text("blocked", "changed")
    headings = ("sku", "order", "fate", "should sell", "sells", "")
    why = "the ERP has no variant of this SKU"
    rows = [(long_sku, ref, cause, "12345", "12345", why), ("MUG", ref[::-1], fate_text("held"), 67, 6, Text(""))]
    out = StringIO()
    Console(file=out, width=width, markup=False).print(table(headings, rows, right=("should sell", "sells")))
    lines = out.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    words = Counter(out.getvalue().split())
    assert words["12345"] == 2
    for word in (long_sku, ref, ref[::-1], "MUG", "67", "6", *cause.plain.split(), *why.split()):
        assert words[word] >= 1, word


def test_text_from_outside_cannot_steer_a_terminal() -> None:
    assert clean("a\x1b[31mb\x07\u202e") == "a�[31mb��"


def test_json_keeps_decimals_exact_and_instants_in_utc() -> None:
    assert plain({"a": Decimal("1.10"), "at": NOON, "of": (1, None)}) == {
        "a": "1.10",
        "at": "2026-03-02T12:00:00Z",
        "of": [1, None],
    }


@pytest.mark.parametrize(("value", "text"), [("20", "20.00"), ("9.5", "9.50"), ("8.3325", "8.3325"), ("0", "0.00")])
def test_money_has_at_least_two_places(value: str, text: str) -> None:
    assert money(Decimal(value)) == text


def test_number_has_no_trailing_zeros() -> None:
    assert (number(Decimal("2.00")), number(Decimal("100")), number(Decimal("0.5"))) == ("2", "100", "0.5")


def test_event_details_are_one_line_with_readable_instants() -> None:
    detail = {"release_at": NOON.isoformat(), "problems": [{"what": "no variant"}], "number": "TT-1"}
    assert detail_text(detail) == "release 2026-03-02 12:00:00Z; no variant; number TT-1"


@pytest.mark.parametrize(("price", "text"), [("0", "  total 0.00 USD"), ("20", "  items 40.00: total 40.00 USD")])
def test_total_of_nothing_stands_alone(make_order: OrderMaker, price: str, text: str) -> None:
    order = make_order(price=price)
    found: Any = SimpleNamespace(totals=order.totals, currency=order.currency, taxes_included=False)
    assert _terms(found) == text


def test_trace_names_orders_but_never_tells_what_is_in_them(make_order: OrderMaker) -> None:
    """Law 12."""
    order = make_order(buyer=Buyer(name="Ada"), address=Address(line_1="1 Hidden Lane"))
    text = shape([order, order, order, order])
    assert "Order(ref=5001, key=X-5001)" in text
    assert "4 in all" in text
    assert "Ada" not in text
    assert "Hidden" not in text
    assert shape(order.address) == "Address()"
