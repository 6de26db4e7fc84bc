"""The first Route that matches takes the Order."""

import pytest

from hub.contract import FulfilledBy, Location, LocationKind
from hub.routing.match import route_for
from hub.routing.model import OrderRules, Route, When
from tests.conftest import OrderMaker


def _route(name: str, **when: object) -> Route:
    return Route(name, "shop", "erp", OrderRules(when=When(**when)))  # type: ignore[arg-type]  # one field per case


def test_first_matching_route_wins(make_order: OrderMaker) -> None:
    found = route_for(make_order(), [_route("gb", regions=("GB",)), _route("a"), _route("b")])
    assert found is not None
    assert found.name == "a"


@pytest.mark.parametrize(
    ("when", "matches"),
    [
        ({"regions": ("US", "CA")}, True),
        ({"regions": ("GB",)}, False),
        ({"skus": ("MUG*",)}, True),
        ({"skus": ("TEE-*",)}, False),
        ({"fulfilled_by": FulfilledBy.SELLER}, True),
        ({"fulfilled_by": FulfilledBy.CHANNEL}, False),
        ({"locations": ("W1",)}, True),
        ({"locations": ("Pickup LA",)}, True),
        ({"locations": ("Pickup NY",)}, False),
        ({"tags": ("sample", "gift")}, True),
        ({"tags": ("replacement",)}, False),
        ({"regions": ("US",), "tags": ("replacement",)}, False),
    ],
)
def test_every_part_of_when_must_match(make_order: OrderMaker, when: dict[str, object], matches: bool) -> None:
    places = [Location(ref="W1", name="Pickup LA", kind=LocationKind.SHIPS)]
    order = make_order(location_ref="W1", tags=("sample",))
    assert (route_for(order, [_route("only", **when)], places) is not None) is matches
