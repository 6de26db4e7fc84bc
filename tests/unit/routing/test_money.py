"""Law 8: an Order whose money does not add up is stopped, and the term is named."""

from decimal import Decimal

import pytest

from hub.contract import Fee, LineItem, LineStatus, Totals
from hub.routing.money import imbalances
from tests.conftest import OrderMaker

D = Decimal
LINE = LineItem(ref="1", sku="MUG", quantity=D(1), price=D("40.00"), seller_discount=D("4.00"),
                channel_discount=D("2.00"), tax=D("2.81"))  # fmt: skip
TOTALS = Totals(items=D("40.00"), seller_discount=D("4.00"), channel_discount=D("2.00"), shipping=D("5.00"),
                shipping_channel_discount=D("5.00"), tax=D("2.81"), total=D("36.81"))  # fmt: skip


def test_vendors_example_balances(make_order: OrderMaker) -> None:
    """T: the fact sheet's example order, section 5.8."""
    assert imbalances(make_order(lines=(LINE,), totals=TOTALS)) == ()


@pytest.mark.parametrize(
    ("term", "change"),
    [
        ("total", {"total": D("36.80")}),
        ("items", {"items": D("41.00"), "total": D("37.81")}),
        ("seller_discount", {"seller_discount": D("3.00"), "total": D("37.81")}),
        ("channel_discount", {"channel_discount": D("3.00"), "total": D("35.81")}),
        ("tax", {"tax": D("2.80"), "total": D("36.80")}),
    ],
)
def test_term_that_is_off_is_named(make_order: OrderMaker, term: str, change: dict[str, Decimal]) -> None:
    problems = imbalances(make_order(lines=(LINE,), totals=TOTALS.model_copy(update=change)))
    assert [problem.what.split()[0] for problem in problems] == [term]
    assert problems[0].code == "money-unbalanced"


def test_named_fees_belong_to_the_total(make_order: OrderMaker) -> None:
    fees = (Fee(name="retail_delivery_fee", amount=D("0.28")), Fee(name="payment_platform_discount", amount=D("-1")))
    totals = TOTALS.model_copy(update={"fees": fees, "total": D("36.09")})
    assert imbalances(make_order(lines=(LINE,), totals=totals)) == ()


def test_included_tax_is_not_added(make_order: OrderMaker) -> None:
    totals = TOTALS.model_copy(update={"total": D("34.00")})
    assert imbalances(make_order(lines=(LINE,), totals=totals, taxes_included=True)) == ()


def test_totals_may_keep_or_drop_cancelled_lines(make_order: OrderMaker) -> None:
    gone = LINE.model_copy(update={"ref": "2", "status": LineStatus.CANCELLED})
    assert imbalances(make_order(lines=(LINE, gone), totals=TOTALS)) == ()
