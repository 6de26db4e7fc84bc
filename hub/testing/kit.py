"""The contract kit: subclass ConnectorContract in a test file, and every promise of the contract is tested by name.

    class TestMyConnector(ConnectorContract):
        connector_class = MyConnector
        pull_calls = 4

        @pytest.fixture
        def outside(self) -> Outside:
            return MyOutside()

Each rule is a test whose name is the promise. A rule about a hook that the connector does not implement is skipped by
the hook's name, one that asks for a deed (hub.testing.Deeds) that is not given by the deed's; a rule that finds nothing
to check fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from hub.contract import Connector
from hub.testing.outside import Outside
from hub.testing.rules_account import AccountRules
from hub.testing.rules_changes import ChangeRules
from hub.testing.rules_consent import ConsentRules
from hub.testing.rules_fulfillments import FulfillmentRules
from hub.testing.rules_listing import ListingRules
from hub.testing.rules_orders import OrderRules
from hub.testing.rules_placing import PlacingRules
from hub.testing.rules_pulls import PullRules
from hub.testing.rules_reading import ReadingRules
from hub.testing.rules_shipping import ShippingRules
from hub.testing.rules_stock import StockRules
from hub.testing.rules_webhooks import WebhookRules
from hub.testing.stage import Stage, implemented, skip_unless


class ConnectorContract(
    AccountRules,
    ReadingRules,
    PlacingRules,
    OrderRules,
    StockRules,
    ListingRules,
    FulfillmentRules,
    ShippingRules,
    ChangeRules,
    PullRules,
    ConsentRules,
    WebhookRules,
):
    """Every rule of the contract. Give the first part; leave the second alone."""

    # To be given:

    connector_class: ClassVar[type[Connector]]
    """The connector, as its entry point loads it."""

    pull_calls: ClassVar[int | None] = None
    """With pull_orders: how many calls a pull of ``order_count`` orders may take, once the connector is warm."""

    order_count: ClassVar[int] = 5
    """How many orders to seed: enough to fill more than one page."""

    unknown_order: ClassVar[str] = "999999999999"
    """With fetch_orders or push_fulfillment: a well-formed ref of an order or a line that the system does not know."""

    unknown_variant: ClassVar[str] = "999999999999"
    """With pull_inventory or push_inventory: a well-formed variant ref that the system does not know."""

    unknown_fulfillment: ClassVar[str] = "999999999999"
    """With fetch_fulfillments: a well-formed fulfillment ref that the system does not know."""

    variant_count: ClassVar[int] = 5
    """With pull_inventory or pull_products: how many variants to seed: enough to fill more than one page."""

    fulfillment_count: ClassVar[int] = 5
    """With pull_fulfillments: how many parcels to ship: enough to fill more than one page."""

    negative_stock: ClassVar[bool] = True
    """With pull_inventory: false where the system never shows stock below zero."""

    cancel_reason: ClassVar[str | None] = None
    """With cancel_order: a reason that the system takes, where it asks for one."""

    currency: ClassVar[str] = "USD"
    """With push_order and push_products: the currency of the sales orders and listings that are pushed."""

    has_credentials: ClassVar[bool] = True
    """False where the system asks for none; then the rules about them do not apply."""

    @pytest.fixture
    def outside(self) -> Outside:
        """Return the system on the other side, freshly set up; see hub.testing.Outside."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture 'outside' that returns a hub.testing.Outside")

    # Not to be touched:

    @pytest.fixture(autouse=True)
    def only_what_is_implemented(self, request: pytest.FixtureRequest) -> None:
        """Skip before anything is set up."""
        skip_unless(implemented(self.connector_class), request.function)

    @pytest.fixture
    def stage(self, outside: Outside) -> Iterator[Stage]:
        """Put a channel that can misbehave between the connector and the outside."""
        with Stage(self, outside) as stage:
            yield stage


RULES: tuple[str, ...] = tuple(
    name for part in ConnectorContract.__bases__ for name in vars(part) if name.startswith("test_")
)
"""The name of every rule, in the order of the report."""
