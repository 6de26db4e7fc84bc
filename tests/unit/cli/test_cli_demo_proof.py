"""Proofs of the demo: each promise is kept by what keeps it, and broken by each thing that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.cli import demo_proof
from hub.cli.demo_connect import consented
from hub.cli.demo_data import CHANNELS_OWN, RETURNS_DESK, SECTIONS, route_file
from hub.cli.demo_proof import Promise
from hub.cli.demo_stage import Seen
from hub.contract import AuthorizationError

NOON, HOUR = 1_772_452_800, 3600
Change = Callable[[Seen], Any]


def unit(sku: str, state: str = "open", number: str | None = None) -> dict[str, Any]:
    return {"sku": sku, "items": {sku: 1}, "state": state, "number": number}


def order(*units: dict[str, Any], state: str = "open", **more: Any) -> dict[str, Any]:
    return {"state": state, "by_channel": False, "region": "US", "placed_at": NOON, "paid_at": NOON,
            "address": "1 Road", "ships_from": "West", "units": list(units), **more}  # fmt: skip


def sale(ref: str, items: dict[str, int], **more: Any) -> dict[str, Any]:
    return {"ref": ref, "key": f"CH-{ref}", "deleted": False, "made_at": NOON + HOUR + 5, "state": "open",
            "parcels": [], "location": "Main warehouse", "address": "1 Road", "items": items, "returned_to": [],
            **more}  # fmt: skip


def seen() -> Seen:
    """A shop of one open order of two mugs, 20 of which are in stock."""
    stock = {"MUG": {"Main warehouse": {"on_hand": 20, "promised": 2}}}
    orders = {"A": order(unit("MUG"), unit("MUG"))}
    return Seen(orders=orders, sales=[sale("A", {"MUG": 2})], sells={"MUG": {"Main": 16}}, stock=stock)


def with_change(before: Seen, change: Change) -> Seen:
    after = deepcopy(before)
    change(after)
    return after


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda s: s.sales.append(sale("A", {"MUG": 2})), "A has several sales orders"),
        (lambda s: s.sales[0]["items"].update(MUG=1), "A has other goods"),
        (lambda s: s.sales[0].update(state="shipped"), "A is not open"),
        (lambda s: s.sales.clear(), "A did not arrive"),
    ],
)
def test_orders_that_do_not_arrive_once_and_whole_break_the_first_promise(change: Change, fault: str) -> None:
    assert demo_proof.orders_arrive(seen(), NOON + 2 * HOUR).kept
    assert fault in demo_proof.orders_arrive(with_change(seen(), change), NOON + 2 * HOUR).faults


def test_an_order_is_only_missed_once_its_hold_is_over_and_its_skus_exist() -> None:
    gone = with_change(seen(), lambda s: s.sales.clear())
    assert gone.missing(NOON + HOUR) == []
    assert gone.missing(NOON + 2 * HOUR) == ["A"]
    unknown = with_change(gone, lambda s: s.orders["A"]["units"].append(unit("HAT")))
    assert unknown.missing(NOON + 2 * HOUR) == []


TRIES = {
    "sku": "MUG",
    "free": 7,
    "held": 3,
    "sells": 2,
    "minutes": 16,
    "offers": [(7, False), (3, False), (2, True), (1, False)],
}


@pytest.mark.parametrize("sells", [15, 17, 19])
def test_stock_that_differs_breaks_its_promise_either_way(sells: int) -> None:
    assert demo_proof.stock_agrees(seen(), (), TRIES).kept
    other = with_change(seen(), lambda s: s.sells["MUG"].update(Main=sells))
    assert f"MUG sells {sells}, the ERP can spare 18" in demo_proof.stock_agrees(other, (), TRIES).faults
    assert demo_proof.stock_agrees(other, ("MUG",), TRIES).kept


def test_stock_that_needs_more_than_the_hour_breaks_its_promise() -> None:
    assert demo_proof.stock_agrees(seen(), (), {**TRIES, "minutes": 60}).kept
    assert demo_proof.stock_agrees(seen(), (), {**TRIES, "minutes": 61}).faults == ["it took 61 minutes"]


def test_stock_promised_to_held_orders_is_not_to_spare_and_overselling_is_named() -> None:
    held = with_change(seen(), lambda s: s.orders.update(B=order(*[unit("MUG")] * 19, state="held")))
    assert held.spare("MUG") == -1
    empty = with_change(held, lambda s: s.sells["MUG"].update(Main=0))
    assert demo_proof.stock_agrees(empty, (), TRIES).faults == ["MUG was oversold"]


@pytest.mark.parametrize(
    "offers", [[(7, True), (3, False), (2, True), (1, False)], [(7, False), (3, False), (2, False)]]
)
def test_a_channel_that_sells_what_there_is_not_breaks_the_promise(offers: list[tuple[int, bool]]) -> None:
    assert not demo_proof.stock_agrees(seen(), (), {**TRIES, "offers": offers}).kept


def shipping() -> Seen:
    """Four orders: one whole, one in part, one in three parcels, one by a mapped carrier."""
    numbers = {"W": ["1"], "P": ["2", None], "T": ["3", "4", "5"], "M": ["6"]}
    states = dict.fromkeys(numbers, "shipped") | {"P": "partly-shipped"}
    orders = {
        ref: order(*[unit("MUG", "shipped" if number else "open", number) for number in found], state=states[ref])
        for ref, found in numbers.items()
    }
    sales = [
        sale(
            ref, {"MUG": len(found)}, parcels=[{"number": n, "items": {"MUG": 1}, "shipped": True} for n in found if n]
        )
        for ref, found in numbers.items()
    ]
    return Seen(orders, sales, {}, {})


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda s: s.orders["W"]["units"][0].update(number="9"), "W lacks its tracking"),
        (lambda s: s.orders["T"]["units"][2].update(number="4"), "parcels were joined"),
        (lambda s: s.orders["P"].update(state="shipped"), "P has the wrong state"),
        (lambda s: s.orders["M"]["units"][0].update(state="open"), "M lacks its tracking"),
    ],
)
def test_tracking_that_is_not_unit_by_unit_breaks_its_promise(change: Change, fault: str) -> None:
    def proof(found: Seen) -> Promise:
        return demo_proof.shipped(found, "W", "P", "T", "M")

    assert proof(shipping()).kept
    assert fault in proof(with_change(shipping(), change)).faults


def changed() -> tuple[Seen, Seen, Seen]:
    """The first look; the one when all was placed (B edited, C cancelled); the last one (D cancelled, E in part)."""
    mugs = [unit("MUG"), unit("MUG")]
    first = Seen({ref: order(*deepcopy(mugs), state="held") for ref in "BCDE"}, [], {}, {})
    placed = with_change(first, lambda s: s.orders["B"].update(address="2 Road"))
    placed.orders["C"]["state"] = "cancelled"
    placed.sales.extend(sale(ref, {"MUG": 2}, address="2 Road" if ref == "B" else "1 Road") for ref in "BDE")
    last = with_change(placed, lambda s: s.sales[1].update(deleted=True))
    last.orders["E"]["units"][0]["state"] = "cancelled"
    last.sales[2]["items"] = {"MUG": 1}
    return first, placed, last


@pytest.mark.parametrize(
    ("at", "change", "fault"),
    [
        (1, lambda s: s.sales[0].update(made_at=NOON + HOUR - 1), "B left before its hour"),
        (1, lambda s: s.sales[0].update(address="1 Road"), "B has its old address"),
        (1, lambda s: s.sales.append(sale("C", {}, deleted=True)), "C was cancelled in the hold and arrived"),
        (1, lambda s: s.orders["C"].update(state="open"), "nobody edited, or nobody cancelled, in the hold"),
        (2, lambda s: s.sales[1].update(deleted=False), "D was cancelled later and is still there"),
        (2, lambda s: s.sales[2].update(items={"MUG": 2}), "E lost a piece, and its sales order did not"),
    ],
)
def test_an_order_that_does_not_follow_its_buyer_breaks_its_promise(at: int, change: Change, fault: str) -> None:
    looks = list(changed())
    assert demo_proof.held(*looks, ["D"], "E").kept
    change(looks[at])
    assert fault in demo_proof.held(*looks, ["D"], "E").faults


def of_the_channel() -> tuple[Seen, Seen]:
    """Before and after the channel shipped a mug, which is recorded, and a tea, which is left out."""
    own = {"MUG": {"Main warehouse": {"on_hand": 20, "promised": 0}}}
    orders = {ref: order(unit(sku), by_channel=True) for ref, sku in (("R", "MUG"), ("L", "TEA-A"))}
    before = Seen(orders, [], {}, own)
    after = deepcopy(before)
    for ref in "RL":
        after.orders[ref].update(
            state="shipped", units=[{**orders[ref]["units"][0], "state": "shipped", "number": "1"}]
        )
    parcel = {"number": "1", "items": {"MUG": 1}, "shipped": True}
    after.sales.append(sale("R", {"MUG": 1}, state="shipped", location=CHANNELS_OWN, parcels=[parcel]))
    after.stock["MUG"][CHANNELS_OWN] = {"on_hand": -1, "promised": 0}  # type: ignore[index]  # a dict in these tests
    return before, after


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda s: s.sales.clear(), "R is not recorded"),
        (lambda s: s.sales[0].update(location="Main warehouse"), "R is recorded wrongly"),
        (lambda s: s.sales[0].update(parcels=[]), "R is recorded wrongly"),
        (lambda s: s.sales.append(sale("L", {"TEA-A": 1})), "L should have been left out"),
        (lambda s: s.stock["MUG"]["Main warehouse"].update(on_hand=19), "MUG moved in the own stock"),
        (lambda s: s.stock["MUG"][CHANNELS_OWN].update(on_hand=0), f"0 pieces left {CHANNELS_OWN}, not 1"),
    ],
)
def test_what_the_channel_ships_breaks_its_promise_where_it_is_not_apart(change: Change, fault: str) -> None:
    before, after = of_the_channel()
    assert demo_proof.done_by_channel(before, after, "L").kept
    assert fault in demo_proof.done_by_channel(before, with_change(after, change), "L").faults


def calls(off: int, on: int, others: int = 9) -> dict[str, dict[str, int]]:
    return {which: {"channel": n, "erp": n} for which, n in (("off", off), ("on", on), ("others", others))}


def test_a_section_that_is_off_and_calls_or_on_and_silent_breaks_both_switch_promises() -> None:
    off = {section: calls(0, 2) for section in SECTIONS}
    empty = with_change(seen(), lambda s: s.stock["MUG"]["Main warehouse"].update(on_hand=2))
    assert all(promise.kept for promise in demo_proof.switches(off, "MUG", empty))
    assert [promise.kept for promise in demo_proof.switches(off, "MUG", seen())] == [True, False]
    for wrong in (calls(1, 2), calls(0, 0), calls(0, 2, 0)):
        assert not any(promise.kept for promise in demo_proof.switches({**off, "orders": wrong}, "MUG", empty))
    for at, role in enumerate(("erp", "channel")):
        wrong = calls(0, 2) | {"off": {"channel": 0, "erp": 0} | {role: 1}}
        kept = [promise.kept for promise in demo_proof.switches({**off, "inventory": wrong}, "MUG", empty)]
        assert kept == [at != 0, at != 1]
    assert demo_proof.switches({**off, "products": calls(0, 2) | {"on": {"channel": 2, "erp": 0}}}, "MUG", empty)[
        0
    ].kept


def test_a_place_that_is_not_told_not_mapped_or_not_used_breaks_its_promise() -> None:
    theirs = ["Main (ships)", "Main (returns)"]
    mapped = {"Main (ships)": "Main warehouse", "Main (returns)": RETURNS_DESK}
    found = Seen({}, [sale("W", {}, location="West"), sale("B", {}, returned_to=[RETURNS_DESK])], {}, {})
    assert demo_proof.places(theirs, theirs, mapped, found, "W", "B").kept
    assert not demo_proof.places(theirs, theirs[:1], mapped, found, "W", "B").kept
    assert not demo_proof.places(theirs, theirs, {"Main (ships)": "x"}, found, "W", "B").kept
    assert not demo_proof.places(theirs, theirs, mapped, found, "B", "B").kept
    assert not demo_proof.places(theirs, theirs, mapped, found, "W", "W").kept


@pytest.mark.parametrize(
    ("whole", "bare", "lacks"),
    [([], [], ["a picture"]), (["live"], [], ["a picture"]), (["draft", "draft"], [], ["a picture"]),
     (["draft"], ["draft"], ["a picture"]), (["draft"], [], [])],
)  # fmt: skip
def test_a_listing_that_is_not_one_draft_or_lacks_and_does_not_say_breaks_its_promise(
    whole: list[str], bare: list[str], lacks: list[str]
) -> None:
    assert demo_proof.product_listed({"MUG": ["draft"], "JUG": []}, "MUG", "JUG", ["a picture"]).kept
    assert not demo_proof.product_listed({"MUG": whole, "JUG": bare}, "MUG", "JUG", lacks).kept


REVIEWED: dict[str, Any] = {
    "planned": {"A"}, "made": {"A"}, "writes": 0, "orders": {"A", "B"}, "fates": {"A", "B"}, "tells": {"A": True}
}  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [{"writes": 1}, {"planned": {"A", "B"}}, {"made": {"A", "B"}}, {"planned": set(), "made": set()}, {"fates": {"A"}},
     {"orders": {"A"}}, {"tells": {"A": True, "B": False}}],
)  # fmt: skip
def test_a_plan_that_writes_or_is_not_what_happens_or_an_order_without_a_story_breaks_its_promise(
    wrong: dict[str, Any],
) -> None:
    assert demo_proof.reviewed(**REVIEWED).kept
    assert not demo_proof.reviewed(**REVIEWED | wrong).kept


def refusal(do: str = "Only the owner may.") -> AuthorizationError:
    return AuthorizationError("consent-refused", "refused", where="shop", do=do)


CONSENTED: dict[str, Any] = {
    "answers": {"staff": refusal(), "other": refusal(), "owner": None}, "cause": "Only the owner", "shops": ["1"],
    "until": "2027-01-01", "keyed": "the key opens it", "closed": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"answers": {"staff": None, "owner": None}}, "staff consented, and it was taken"),
        ({"answers": {"staff": refusal("Try again."), "owner": None}}, "staff was refused without the likely cause"),
        ({"answers": {"staff": refusal(), "owner": refusal()}}, "the owner's consent failed: refused"),
        ({"cause": ""}, "nothing is said before consent"),
        ({"shops": []}, "the owner's consent reaches no shop"),
        ({"closed": ["factory"]}, "factory is not opened"),
    ],
)
def test_consent_of_the_wrong_person_or_refused_without_its_cause_breaks_its_promise(
    wrong: dict[str, Any], fault: str
) -> None:
    assert consented(**CONSENTED).kept
    assert fault in consented(**CONSENTED | wrong).faults


def test_a_broken_promise_says_which_and_names_a_few_faults() -> None:
    faults = [f"{n} is lost" for n in range(5)]
    assert str(Promise("M1", "", "", {}, faults)) == "M1 is broken: 0 is lost; 1 is lost; 2 is lost and 2 more"


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_is_switched_off_in_every_route(section: str) -> None:
    text = route_file("http://127.0.0.1:1", datetime(2026, 3, 1, tzinfo=UTC), {}, "UPS", section)
    routes = text.split("  - name:")[1:]
    assert [route.count("enabled: false") for route in routes] == [1] * len(routes)
    assert all(route.count(f"    {section}:") == 1 for route in routes)
