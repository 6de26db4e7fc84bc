"""What a person gets to see of orders, and what nobody does (law 12)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.contract import Address, Buyer
from hub.engine import hand
from hub.engine.review import counts, listing, review
from hub.store import Store
from tests.conftest import NOON, OrderMaker
from tests.unit.engine.ledger_rows import put, put_effect, put_placed


def test_counts_add_up_over_fates_and_causes(store: Store, make_order: OrderMaker) -> None:
    for ref, fate, cause in (("1", "held", "hold"), ("2", "held", "hold"), ("3", "blocked", "no-route")):
        put(store, make_order(ref), fate, cause)
    found = [(count.fate, count.cause, count.orders) for count in counts(store)]
    assert found == [("blocked", "no-route", 1), ("held", "hold", 2)]


def test_listing_is_newest_first_and_of_one_fate(store: Store, make_order: OrderMaker) -> None:
    for ref, fate in (("1", "held"), ("2", "placed"), ("3", "held")):
        put(store, make_order(ref), fate)
    assert [brief.ref for brief in listing(store, "held", 10)] == ["3", "1"]
    assert [brief.ref for brief in listing(store, None, 2)] == ["3", "2"]


def test_review_never_shows_buyer_or_address(store: Store, make_order: OrderMaker) -> None:
    """Law 12."""
    order = make_order(
        buyer=Buyer(ref="b-1", name="Ada Lovelace", email="ada@example.com"),
        address=Address(first_name="Ada", line_1="1 Hidden Lane", phone="+44 1", zip="SW1"),
        note="Ring for Ada",
    )
    put(store, order, "held", "hold")
    shown = repr(review(store, "5001"))
    for secret in ("Ada", "Lovelace", "Hidden", "ada@", "+44", "SW1", "b-1"):
        assert secret not in shown


@pytest.mark.parametrize("do", ["Create it", "Create it.", "Create it, then retry.", "Create it; then retry"])
def test_review_says_why_and_what_to_do(store: Store, make_order: OrderMaker, do: str) -> None:
    reason = [{"code": "variant-unmapped", "what": "SKU X has no variant", "do": do, "skus": ["X"]}]
    put(store, make_order(), "blocked", "variant-unmapped", reason=reason)
    (why,) = review(store, "5001").why
    assert (why.what, why.do) == ("SKU X has no variant", "Create it, then: hub retry 5001")


def test_review_of_an_order_held_by_hand_tells_the_persons_reason(store: Store, make_order: OrderMaker) -> None:
    put(store, make_order(), "held", "hold")
    hand.hold(store, "5001", NOON, reason="wrong size?")
    (why,) = review(store, "5001").why
    assert why.what == "a person holds it: wrong size?"
    assert why.do == "To let it go on: hub hold release 5001"


def test_review_has_sales_order_effects_and_timeline(store: Store, make_order: OrderMaker) -> None:
    id_ = put_placed(store, make_order(), "placed")
    put_effect(store, id_, "X-5001", "done", NOON + timedelta(hours=1))
    found = review(store, "X-5001")
    assert found.sales_order is not None
    assert (found.sales_order.number, found.sales_order.erp) == ("X-5001", "erp")
    assert [(effect.kind, effect.state) for effect in found.effects] == [("place-order", "done")]
    assert [(line.sku, line.quantity) for line in found.lines] == [("MUG", 1), ("MUG", 1)]
