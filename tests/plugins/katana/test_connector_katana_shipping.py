"""Recording what a channel shipped: each package once, whatever is lost, and no unit in two packages."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from hub.contract import Fulfillment, Package, PlacedOrder, RejectedError, SalesOrder, TransientError

Make = Callable[..., SalesOrder]
NUMBER = "TT-5766000000000000001"
LIST, MAKE = "GET /sales_order_fulfillments", "POST /sales_order_fulfillments"


@pytest.fixture
def bench(katana: Any) -> Any:
    return katana.bench()


@pytest.fixture
def placed(katana: Any, bench: Any, order: Make) -> PlacedOrder:
    """Two mugs and a tea, not shipped; nothing is counted yet."""
    katana.do("stock", sku="MUG-BLUE", quantity=10)
    found: PlacedOrder = bench.connector.push_order(order(), None)
    katana.forget()
    return found


def package(placed: PlacedOrder, key: str, mugs: int = 0, teas: int = 0, **more: Any) -> Package:
    lines = {placed.rows[0].ref: Decimal(mugs), placed.rows[1].ref: Decimal(teas)}
    return Package(key=key, lines={ref: n for ref, n in lines.items() if n}, **more)


def shipped(placed: PlacedOrder, *packages: Package, delivered: bool = True) -> Fulfillment:
    return Fulfillment(ref="FBT-1", order_ref=placed.ref, packages=packages, delivered=delivered)


def living(katana: Any) -> list[dict[str, Any]]:
    return [row for row in katana.order(NUMBER)["fulfillments"] if not row["deleted_at"]]


def test_a_whole_order_is_done_in_two_calls_with_its_tracking(katana: Any, bench: Any, placed: PlacedOrder) -> None:
    """K-68: the first of them looks for what may be there."""
    url = "https://t.example/1Z1"
    given = shipped(placed, package(placed, "P1", 2, 1, tracking_number="1Z1", carrier="UPS", tracking_url=url))
    [result] = bench.connector.push_fulfillment(given, None)
    assert katana.calls() == [LIST, MAKE]
    [made] = living(katana)
    assert (result.key, result.package_ref, result.error) == ("P1", str(made["id"]), None)
    assert (made["tracking_number"], made["tracking_carrier"], made["tracking_url"]) == ("1Z1", "UPS", url)
    assert katana.order(NUMBER)["status"] == "DELIVERED"


def test_packages_become_a_fulfillment_each_and_what_is_not_delivered_is_packed(
    katana: Any, bench: Any, placed: PlacedOrder
) -> None:
    """K-62, K-68: one tracking number per fulfillment."""
    parts = [package(placed, "P1", 1, tracking_number="1Z1"), package(placed, "P2", 1, 1, tracking_number="1Z2")]
    results = bench.connector.push_fulfillment(shipped(placed, *parts, delivered=False), None)
    assert [result.key for result in results] == ["P1", "P2"]
    assert katana.calls() == [LIST, MAKE, MAKE]
    assert katana.order(NUMBER)["status"] == "PACKED"


@pytest.mark.parametrize("kind", ["lost_reply", "drop", "503", "cut_body", "429"])
@pytest.mark.parametrize("over", ["allow", "refuse"])
@pytest.mark.parametrize("number", ["1Z1", None])
def test_a_package_whose_answer_is_lost_is_recognised_when_it_is_sent_again(
    katana: Any, bench: Any, placed: PlacedOrder, kind: str, over: str, number: str | None
) -> None:
    """K-69: whether Katana would refuse the second one is unknown."""
    katana.options(over_fulfillment=over)
    parts = [package(placed, "P1", 1, tracking_number=number), package(placed, "P2", 0, 1, tracking_number="1Z2")]
    katana.fault(kind, "/sales_order_fulfillments$", "POST")
    with pytest.raises(TransientError) as caught:
        bench.connector.push_fulfillment(shipped(placed, *parts), None)
    assert caught.value.may_have_happened is (kind != "429")
    first = bench.connector.push_fulfillment(shipped(placed, *parts), None)
    katana.forget()
    assert bench.connector.push_fulfillment(shipped(placed, *parts), None) == first
    assert katana.calls() == [LIST]
    assert sorted(str(row["id"]) for row in living(katana)) == sorted(result.package_ref for result in first)
    assert [result.error for result in first] == [None, None]


def test_a_later_package_that_is_put_off_says_that_an_earlier_one_was_made(
    katana: Any, bench: Any, placed: PlacedOrder
) -> None:
    parts = [package(placed, "P1", 1), package(placed, "P2", 0, 1)]
    made: list[Any] = []
    create = bench.connector._shipping._client.create

    def then_busy(*given: Any, **more: Any) -> Any:
        made.append(create(*given, **more))
        katana.fault("429", "/sales_order_fulfillments$", "POST")
        return made[-1]

    bench.connector._shipping._client.create = then_busy
    with pytest.raises(TransientError) as caught:
        bench.connector.push_fulfillment(shipped(placed, *parts), None)
    assert caught.value.may_have_happened
    assert len(living(katana)) == 1


@pytest.mark.parametrize("over", ["allow", "refuse"])
def test_no_unit_is_shipped_twice_where_a_person_shipped_some_by_hand(
    katana: Any, bench: Any, placed: PlacedOrder, over: str
) -> None:
    """K-69."""
    katana.options(over_fulfillment=over)
    katana.do("ship", order_no=NUMBER, quantities={"MUG-BLUE": 1}, tracking_number="BY-HAND")
    parts = [package(placed, "P1", 2, tracking_number="1Z1"), package(placed, "P2", 0, 1, tracking_number="1Z2")]
    mugs, tea = bench.connector.push_fulfillment(shipped(placed, *parts), None)
    assert mugs.code == "row-shipped-already"
    assert placed.rows[0].ref in (mugs.error or "")
    assert tea.error is None
    assert katana.calls() == [LIST, f"GET /sales_orders/{placed.ref}", MAKE]
    assert len(living(katana)) == 2


def test_what_a_person_shipped_without_a_number_is_given_the_number(
    katana: Any, bench: Any, placed: PlacedOrder
) -> None:
    katana.do("ship", order_no=NUMBER, status="PACKED")
    [made] = living(katana)
    given = shipped(placed, package(placed, "P1", 2, 1, tracking_number="1Z1", carrier="UPS"))
    [result] = bench.connector.push_fulfillment(given, None)
    assert result.package_ref == str(made["id"])
    assert katana.calls() == [LIST, f"PATCH /sales_order_fulfillments/{made['id']}"]
    [made] = living(katana)
    assert (made["tracking_number"], made["status"]) == ("1Z1", "DELIVERED")


def test_a_number_that_is_there_with_other_quantities_is_done_with_a_warning(
    katana: Any, bench: Any, placed: PlacedOrder
) -> None:
    katana.do("ship", order_no=NUMBER, quantities={"MUG-BLUE": 1}, tracking_number="1Z1")
    [result] = bench.connector.push_fulfillment(shipped(placed, package(placed, "P1", 2, tracking_number="1Z1")), None)
    assert result.error is None
    assert "quantities" in result.warning
    assert katana.calls() == [LIST]


def test_an_order_that_katana_will_not_ship_says_why_in_the_result(
    katana: Any, bench: Any, placed: PlacedOrder
) -> None:
    katana.do("order", order_no=NUMBER, status="PENDING")
    [result] = bench.connector.push_fulfillment(shipped(placed, package(placed, "P1", 1)), None)
    assert result.code == "fulfillment-refused"
    assert "PENDING" in (result.error or "")


def test_a_filter_that_is_ignored_leaves_nothing_concluded(
    katana: Any, bench: Any, placed: PlacedOrder, order: Make
) -> None:
    """K-23: a package that is not among the first page of all fulfillments may still be there."""
    for number in ("2", "3"):
        bench.connector.push_order(order(number), None)
        katana.do("ship", order_no=f"TT-{number}", quantities={"MUG-BLUE": 1})
    small = katana.bench(page_size=1)
    page = small.connector._fulfillments._client.page
    small.connector._fulfillments._client.page = lambda path, params=(), number=1: page(path, (), number)
    with pytest.raises(TransientError) as caught:
        small.connector.push_fulfillment(shipped(placed, package(placed, "P1", 1)), None)
    assert caught.value.code == "filter-ignored"
    assert living(katana) == []


def test_an_order_that_cannot_be_katanas_is_refused_before_any_call(
    katana: Any, bench: Any, placed: PlacedOrder
) -> None:
    given = shipped(placed, package(placed, "P1", 1)).model_copy(update={"order_ref": "TT-1"})
    with pytest.raises(RejectedError) as caught:
        bench.connector.push_fulfillment(given, None)
    assert caught.value.code == "reference-invalid"
    assert katana.calls() == []


# ---- write-back of tracking


def test_tracking_is_written_back_to_the_fulfillment_in_one_call_each(
    katana: Any, bench: Any, placed: PlacedOrder
) -> None:
    """K-68: what is unknown is left as it is."""
    katana.do("ship", order_no=NUMBER, tracking_carrier="DHL")
    [made] = living(katana)
    ref = str(made["id"])
    given = shipped(placed, package(placed, "P1", 2, 1, ref=ref, tracking_number="1Z1"))
    for _ in range(2):
        [result] = bench.connector.update_fulfillment(given, None)
    assert katana.calls() == [f"PATCH /sales_order_fulfillments/{ref}"] * 2
    assert katana.journal()[0]["body"] == {"tracking_number": "1Z1"}
    assert (result.key, result.package_ref, result.error) == ("P1", ref, None)
    [made] = living(katana)
    assert (made["tracking_number"], made["tracking_carrier"]) == ("1Z1", "DHL")


def test_tracking_of_a_fulfillment_that_is_gone_is_told_and_the_others_are_written(
    katana: Any, bench: Any, placed: PlacedOrder
) -> None:
    katana.do("ship", order_no=NUMBER)
    [made] = living(katana)
    parts = [
        package(placed, str(at), 1, ref=ref, tracking_number="1Z1")
        for at, ref in enumerate(["999999", str(made["id"])])
    ]
    gone, done = bench.connector.update_fulfillment(shipped(placed, *parts), None)
    assert (gone.code, done.error) == ("fulfillment-gone", None)
    assert living(katana)[0]["tracking_number"] == "1Z1"


def test_a_package_without_news_costs_no_call(katana: Any, bench: Any, placed: PlacedOrder) -> None:
    [done] = bench.connector.update_fulfillment(shipped(placed, package(placed, "P1", 1, ref="7")), None)
    assert (done.error, katana.calls()) == (None, [])
