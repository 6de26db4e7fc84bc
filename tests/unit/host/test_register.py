"""A connector that breaks the contract is refused at load, and the message names distribution, hook and argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import pluggy
import pytest
from pydantic import BaseModel

from hub.contract import ContractError, Finding, Order, OrderRef, hookimpl
from hub.host.register import plug, verify

ORIGIN = "hub-example 1.2.3"


class Good:
    """The smallest connector there is."""

    name: ClassVar[str] = "example"
    settings_model: ClassVar[type[BaseModel]] = BaseModel
    capabilities: ClassVar[frozenset[str]] = frozenset({"check_connection"})
    in_flight: ClassVar[int] = 1

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    @hookimpl
    def check_connection(self) -> list[Finding]:
        return [Finding(ok=True, what=str(self.connection))]


def refusal(connector: Any) -> str:
    """Return the message of the refusal; its place must name the connector and its distribution."""
    with pytest.raises(ContractError) as caught:
        verify(connector, "example", ORIGIN)
    assert caught.value.code == "connector-refused"
    assert caught.value.where == "connector example of hub-example 1.2.3"
    assert "hub-example 1.2.3" in caught.value.do
    return caught.value.what


def test_a_sound_connector_is_accepted() -> None:
    verify(Good, "example", ORIGIN)


def test_a_hook_that_does_not_exist_is_refused() -> None:
    class Strange(Good):
        @hookimpl
        def pull_orderz(self) -> None: ...

    assert refusal(Strange) == "pull_orderz is marked as a hook, but there is no such hook"


def test_an_argument_that_the_hook_does_not_have_is_refused() -> None:
    class Strange(Good):
        capabilities = Good.capabilities | {"fetch_orders"}

        @hookimpl
        def fetch_orders(self, orderz: Sequence[OrderRef]) -> list[Order]:
            return []

    assert refusal(Strange) == "fetch_orders takes an argument 'orderz' that the hook does not have"


def test_an_argument_with_a_default_is_refused() -> None:
    """pluggy never fills it: the connector would always see its default."""

    class Strange(Good):
        capabilities = Good.capabilities | {"fetch_orders"}

        @hookimpl
        def fetch_orders(self, orders: Sequence[OrderRef] = ()) -> list[Order]:
            return []

    assert refusal(Strange) == "fetch_orders gives its argument 'orders' a default, so it would never be filled"


def test_a_hook_may_take_fewer_arguments_than_it_is_given() -> None:
    class Modest(Good):
        capabilities = Good.capabilities | {"fetch_orders"}

        @hookimpl
        def fetch_orders(self) -> list[Order]:
            return []

    verify(Modest, "example", ORIGIN)


def test_a_method_named_like_a_hook_without_the_mark_is_refused() -> None:
    class Strange(Good):
        def list_locations(self) -> list[Any]:
            return []

    assert refusal(Strange) == "list_locations is named like a hook but lacks @hookimpl, so it would never be called"


def test_a_declared_hook_that_is_missing_is_refused() -> None:
    class Strange(Good):
        capabilities = Good.capabilities | {"push_order"}

    assert refusal(Strange) == "push_order is declared as a capability but not implemented"


def test_a_declared_capability_that_is_no_hook_is_refused() -> None:
    class Strange(Good):
        capabilities = Good.capabilities | {"push_orderz"}

    assert refusal(Strange) == "push_orderz is no hook of this hub"


def test_an_implemented_hook_that_is_not_declared_is_refused() -> None:
    class Strange(Good):
        @hookimpl
        def list_locations(self) -> list[Any]:
            return []

    assert refusal(Strange) == "list_locations is implemented but not declared in 'capabilities'"


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("name", "other", "its attribute 'name' must equal the entry point's name 'example'"),
        ("name", None, "its attribute 'name' must equal the entry point's name 'example'"),
        ("settings_model", dict, "its attribute 'settings_model' must be a pydantic model class"),
        ("settings_model", None, "its attribute 'settings_model' must be a pydantic model class"),
        ("in_flight", "many", "its attribute 'in_flight' must be a whole number"),
    ],
)
def test_an_attribute_of_the_wrong_kind_is_refused(attribute: str, value: object, message: str) -> None:
    assert refusal(type("Strange", (Good,), {attribute: value})) == message


def test_capabilities_that_are_no_frozenset_are_refused() -> None:
    strange = type("Strange", (Good,), {"capabilities": {"check_connection"}})
    assert "its attribute 'capabilities' must be a frozenset of hook names" in refusal(strange)


@pytest.mark.parametrize("thing", [Good(None), verify, "example"])
def test_an_entry_point_that_is_no_class_is_refused(thing: object) -> None:
    assert refusal(thing).startswith("the entry point must load to a class, not ")


def test_every_fault_is_told_at_once() -> None:
    class Strange(Good):
        name = "other"
        capabilities = frozenset({"push_order"})

        def list_locations(self) -> list[Any]:
            return []

    told = refusal(Strange).split("; ")
    assert len(told) == 4
    assert [fault.split()[0] for fault in told] == ["its", "list_locations", "push_order", "check_connection"]


def test_a_call_reaches_exactly_one_connector() -> None:
    """Two Connections of one connector have a hook relay each."""
    relays = [plug(Good("first")), plug(Good("second"))]
    assert [relay.check_connection() for relay in relays] == [
        [Finding(ok=True, what="first")],
        [Finding(ok=True, what="second")],
    ]


def test_an_unknown_hook_does_not_get_as_far_as_a_connection() -> None:
    class Strange(Good):
        @hookimpl
        def pull_orderz(self) -> None: ...

    with pytest.raises(pluggy.PluginValidationError, match="pull_orderz"):
        plug(Strange(None))
