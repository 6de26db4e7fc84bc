"""What belongs together, what takes part, and what is to be listed with what it lacks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.contract import Variant
from hub.routing.listing import Draft, Match, Switch, drafts, matched, seller_sku, switch_of
from hub.routing.model import Component, OrderRules, ProductRules, Route

HALF = Decimal("0.5")


def route(table: dict[str, tuple[Component, ...]] | None = None, **rules: Any) -> Route:
    return Route("us", "shop", "factory", orders=OrderRules(skus=table or {}), products=ProductRules(**rules))


def erp(sku: str | None, **more: Any) -> Variant:
    usual = {"product_ref": f"p-{sku}", "product_name": f"{sku}", "price": Decimal(10), "currency": "USD"}
    return Variant(ref=f"e-{sku}", sku=sku, **{**usual, **more})


def offer(sku: str | None, **more: Any) -> Variant:
    return Variant(ref=f"c-{sku}", sku=sku, **{"product_ref": f"cp-{sku}", "currency": "USD", **more})


def one(here: list[Variant], there: list[Variant], where: Route, switched: dict[str, bool] | None = None) -> Draft:
    (found,) = drafts(here, there, where, switched or {}, there[0].currency if there else None)
    return found


@pytest.mark.parametrize(
    ("switched", "expected"),
    [
        ({}, Switch(enabled=False, by="SAMPLE-*")),
        ({"SAMPLE-1": True}, Switch(enabled=True, by="person")),
        ({"SAMPLE-1": False}, Switch(enabled=False, by="person")),
        ({"OTHER": True}, Switch(enabled=False, by="SAMPLE-*")),
    ],
)
def test_a_persons_word_wins_over_the_patterns(switched: dict[str, bool], expected: Switch) -> None:
    assert switch_of(("SAMPLE-1",), ProductRules(disabled=("SAMPLE-*",)), switched) == expected


def test_nothing_is_switched_off_where_the_section_is_off() -> None:
    assert switch_of(("A",), ProductRules(enabled=False, disabled=("*",)), {"A": False}) == Switch()


def test_one_sku_switched_off_keeps_out_what_holds_it() -> None:
    assert not switch_of(("BOX", "MUG"), ProductRules(), {"BOX": True, "MUG": False}).enabled


def test_items_are_matched_by_the_routes_table() -> None:
    table = {
        "TT-TEE": (Component("TEE"),),
        "BOX": (Component("MUG", price_share=HALF), Component("TEA", price_share=HALF)),
    }
    here = [erp("MUG"), erp("TEE"), erp("TEA"), erp("FEE", kind="service"), erp(None)]
    there = [offer("TT-TEE"), offer("BOX"), offer("HAT"), offer(None)]
    found = matched(here, there, route(table), {})
    refs = [([each.ref for each in entry.erp], [each.ref for each in entry.channel]) for entry in found]
    assert [(entry.sku, entry.match.value, *both) for entry, both in zip(found, refs, strict=True)] == [
        ("BOX", "matched", ["e-MUG", "e-TEA"], ["c-BOX"]),
        ("HAT", "there", [], ["c-HAT"]),
        ("MUG", "here", ["e-MUG"], []),
        ("TEA", "here", ["e-TEA"], []),
        ("TEE", "matched", ["e-TEE"], ["c-TT-TEE"]),
        (None, "here", ["e-None"], []),
        (None, "there", [], ["c-None"]),
    ]  # fmt: skip


def test_a_sku_on_two_living_variants_of_either_side_is_a_duplicate() -> None:
    twice = [erp("MUG"), erp("MUG", product_ref="other"), erp("TEE")]
    found = matched(twice, [offer("TEE"), Variant(ref="c-2", sku="TEE")], route(), {})
    assert {each.sku: each.match for each in found} == {"MUG": Match.DUPLICATE, "TEE": Match.DUPLICATE}


SKUS = st.lists(st.sampled_from(["A", "B", "C", "D", None]), max_size=8)


@given(SKUS, SKUS)
def test_every_variant_stands_in_an_item_and_a_channel_variant_in_exactly_one(
    here: list[str | None], there: list[str | None]
) -> None:
    table = {"A": (Component("B"),), "D": (Component("A", quantity=Decimal(2)), Component("C"))}
    first = [Variant(ref=f"e{n}", sku=sku) for n, sku in enumerate(here)]
    second = [Variant(ref=f"c{n}", sku=sku) for n, sku in enumerate(there)]
    found = matched(first, second, route(table), {})
    assert {each.ref for entry in found for each in entry.erp} == {each.ref for each in first}
    assert sorted(each.ref for entry in found for each in entry.channel) == sorted(each.ref for each in second)


def test_variants_of_one_product_are_one_listing_with_the_factor_on_their_prices() -> None:
    here = [
        erp(f"MUG-{n}", product_ref="p", product_name="Mug", price=Decimal(n), options={"Size": str(n)}) for n in (1, 2)
    ]
    draft = one(here, [], route(skus=("MUG-*",), price_factor=Decimal("1.155")))
    assert (draft.product, draft.title, draft.ref, draft.lacks) == ("p", "Mug", None, ())
    assert [(each.sku, str(each.price), each.options) for each in draft.variants] == [
        ("MUG-1", "1.16", {"Size": "1"}),  # half up
        ("MUG-2", "2.31", {"Size": "2"}),
    ]


def test_prices_in_yen_are_whole() -> None:
    draft = one([erp("MUG", price=Decimal("1234.5"), currency="JPY")], [], route(skus=("*",)))
    assert [str(each.price) for each in draft.variants] == ["1235"]


def test_only_what_fits_a_pattern_or_a_person_chose_is_listed_and_never_what_is_off() -> None:
    here = [erp("MUG"), erp("TEE"), erp("TEA"), erp("MUG-OLD"), erp("FEE", kind="service")]
    where = route(skus=("MUG*", "FEE"), disabled=("*-OLD",))
    found = drafts(here, [], where, {"TEE": True, "TEA": False}, "USD")
    assert [draft.skus for draft in found] == [("MUG",), ("TEE",)]


def test_everything_that_a_product_lacks_is_named_at_once() -> None:
    here = [
        erp("A", product_ref="p", price=None),
        erp("B", product_ref="p", price=Decimal("0.001")),
        erp("C", product_ref="p"),
        erp("C", product_ref="p"),
    ]
    draft = one(here, [offer("Z", currency="EUR")], route({"A": (Component("X"),)}, skus=("*",)))
    text = "; ".join(draft.lacks)
    for part in (
        "a price of A in the ERP", "a price of B above zero", "SKU C, which 2 living ones have", "orders/skus gives A",
        "price_factor that makes EUR",
    ):  # fmt: skip
        assert part in text
    assert draft.variants == ()


def test_a_factor_makes_the_shops_currency() -> None:
    draft = one([erp("A")], [offer("Z", currency="EUR")], route(skus=("*",), price_factor=Decimal("0.9")))
    assert (draft.lacks, draft.currency, str(draft.variants[0].price)) == ((), "EUR", "9.00")


def test_a_listing_that_is_there_keeps_its_ids_and_says_what_it_does_not_hold() -> None:
    here = [erp("A", product_ref="p"), erp("B", product_ref="p")]
    draft = one(here, [offer("A", status="ACTIVATE")], route(skus=("*",)))
    assert (draft.ref, draft.unlisted, draft.statuses) == ("cp-A", ("B",), ("ACTIVATE",))
    assert [each.ref for each in draft.variants] == ["c-A", None]


def test_a_listing_shared_with_another_product_is_left_alone() -> None:
    draft = one([erp("A")], [offer("A"), offer("HAT", product_ref="cp-A")], route(skus=("*",)))
    assert draft.lacks == ("a listing of its own: cp-A holds HAT too",)


def test_a_product_in_two_listings_is_left_alone() -> None:
    here = [erp("A", product_ref="p"), erp("B", product_ref="p")]
    assert "its SKUs are in 2 of them" in one(here, [offer("A"), offer("B")], route(skus=("*",))).lacks[0]


def test_a_mapped_sku_is_listed_under_the_channels_name() -> None:
    table = {"TT-A": (Component("A"),), "B": (Component("A"),)}
    assert [seller_sku(sku, table) for sku in ("A", "B", "C")] == ["A", None, "C"]
    assert seller_sku("A", {**table, "A": (Component("Z"),)}) == "TT-A"


def test_the_first_category_that_fits_counts_and_later_attributes_win() -> None:
    rules: dict[str, Any] = {
        "categories": {"MUG-*": "1", "*": "2"},
        "attributes": {"*": {"Material": "Steel", "Use": "Indoor"}, "MUG*": {"Material": "Clay"}, "TEE": {"X": "Y"}},
    }
    draft = one([erp("MUG-A")], [], route(skus=("*",), **rules))
    assert (draft.category, dict(draft.attributes)) == ("1", {"Material": "Clay", "Use": "Indoor"})


def test_the_digest_moves_with_what_is_told_and_with_nothing_else() -> None:
    rules = ProductRules(skus=("*",))
    base = one([erp("A")], [], route(skus=("*",)))
    same = one([erp("A")], [offer("A", status="DRAFT")], route(skus=("*",)))
    assert base.digest(rules) == same.digest(rules)
    dearer = one([erp("A", price=Decimal(11))], [], route(skus=("*",)))
    assert len({base.digest(rules), dearer.digest(rules), base.digest(rules, ["A.jpg:1:2"])}) == 3
