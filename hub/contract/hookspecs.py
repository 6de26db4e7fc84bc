"""Every hook a connector may implement.

A connector is a class with ``name``, ``settings_model``, ``capabilities`` (the hooks it promises) and
``in_flight`` (how many calls may run at once, never two for one Order), built once per Connection with that
Connection. Each hook is a plain method marked ``@hookimpl`` with exactly the arguments below.

Every hook may raise the errors of ``hub.contract.errors``; ``Raises`` lists only what needs saying.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol

import pluggy
from pydantic import BaseModel

from hub.contract.connection import Connection
from hub.contract.model import (
    Finding,
    Fulfillment,
    ItemResult,
    Location,
    Order,
    OrderKey,
    OrderRef,
    PlacedOrder,
    SalesOrder,
    SellableStock,
    StockLevel,
    Token,
    Variant,
)  # fmt: skip
from hub.contract.paging import Cursor, Page

hookspec = pluggy.HookspecMarker("hub")
hookimpl = pluggy.HookimplMarker("hub")


class Connector(Protocol):
    """What an entry point in the group ``hub.connectors`` loads to."""

    name: ClassVar[str]
    settings_model: ClassVar[type[BaseModel]]
    capabilities: ClassVar[frozenset[str]]
    in_flight: ClassVar[int]

    def __init__(self, connection: Connection[Any]) -> None: ...


class Hooks(Protocol):
    """The hook specifications; see each for shape, units and repeats."""

    @hookspec(firstresult=True)
    def check_connection(self) -> list[Finding]:
        """Prove the credentials and name what is missing: scopes, account kind, locations, clock.

        Shape:   at least one Finding; one with ``ok=False`` per thing that would stop work, with what to do.
        Repeats: safe; changes nothing.
        Raises:  AuthorizationError or ConfigurationError where the first call is already refused.
        """

    @hookspec(firstresult=True)
    def list_locations(self) -> list[Location]:
        """Read every place that holds stock, with its kind.

        Shape:   the whole list, any order, unique by ``ref``; empty means there is none.
        Repeats: safe.
        """

    @hookspec(firstresult=True)
    def pull_orders(self, since: Cursor | None, start: datetime) -> Iterator[Page[Order]]:
        """Read Orders created or changed after a cursor, oldest change first.

        Shape:   lazy pages; an Order may come again, the later state wins; a page's cursor is safe to resume from; no
                 page means nothing new. With no cursor, reads what changed at or after ``start``.
        Units:   see hub.contract.model.
        Repeats: safe; the same cursor gives the same Orders, or newer states of them. A connector overlaps its
                 window by what the channel may deliver late.
        """

    @hookspec(firstresult=True)
    def fetch_orders(self, orders: Sequence[OrderRef]) -> list[Order]:
        """Read the present state of known Orders, in as few calls as the channel allows.

        Shape:   any order; an Order the channel no longer knows is left out.
        Repeats: safe.
        """

    @hookspec(firstresult=True)
    def find_orders(self, orders: Sequence[OrderKey], before: datetime | None) -> list[PlacedOrder]:
        """Look sales orders up by their channel order, deleted ones included.

        Shape:   zero, one or several per key; several living ones under one key are for the hub to block. With
                 ``before``, only those made before that instant matter, which may save a connector calls.
        Repeats: safe. A connector checks what came back against the key: a filter may be ignored on the other side.
        """

    @hookspec(firstresult=True)
    def push_order(self, order: SalesOrder, existing: PlacedOrder | None) -> PlacedOrder:
        """Create a sales order, or complete the one that exists.

        Shape:   the order as it now stands; ``complete`` unless a later step is still missing.
        Repeats: not safe where the other side has no idempotency key. The hub never calls twice for one key without
                 find_orders in between, and passes what that found as ``existing``; then no second order is made.
        Raises:  TransientError(may_have_happened=True) where the answer was lost; RejectedError where the other side
                 refuses this order.
        """

    @hookspec(firstresult=True)
    def find_variants(self, skus: Sequence[str]) -> list[Variant]:
        """Look Variants up by exact SKU, in batches.

        Shape:   zero, one or several per SKU; several living ones under one SKU are for the hub to refuse.
        Repeats: safe.
        """

    @hookspec(firstresult=True)
    def pull_products(self, since: Cursor | None, start: datetime | None) -> Iterator[Page[Variant]]:
        """Read Variants created, changed or deleted after a cursor.

        Shape:   lazy pages; the last carries the cursor for next time. With no cursor, reads what changed at or after
                 ``start``, or the whole catalogue where that is None too.
        Repeats: safe.
        """

    @hookspec(firstresult=True)
    def pull_inventory(self, variants: Sequence[str] | None, location: str) -> Iterator[Page[StockLevel]]:
        """Read the StockLevels of some Variants (by ref), or of all, at one Location.

        Shape:   lazy pages, one StockLevel per Variant.
        Repeats: safe; a reading may lag behind a write.
        """

    @hookspec(firstresult=True)
    def push_inventory(self, stock: Sequence[SellableStock]) -> list[ItemResult]:
        """Set what a channel may sell, absolutely.

        Shape:   one ItemResult per Variant, by its ref; partial failure is normal.
        Repeats: safe; the last write wins.
        """

    @hookspec(firstresult=True)
    def pull_fulfillments(self, since: Cursor | None) -> Iterator[Page[Fulfillment]]:
        """Read Fulfillments created, changed or deleted after a cursor.

        Shape:   lazy pages; the last carries the cursor for next time.
        Repeats: safe.
        """

    @hookspec(firstresult=True)
    def push_fulfillment(self, fulfillment: Fulfillment) -> Fulfillment:
        """Tell the other side that packages left, each with its LineItems and tracking.

        Repeats: the connector reads the Order before it repeats a package whose outcome is unknown.
        """

    @hookspec(firstresult=True)
    def refresh_token(self, token: Token) -> Token:
        """Exchange a refresh token for a new pair.

        Repeats: never; the hub calls it once per expiry over all processes, since an old token may die with its use.
        Raises:  AuthorizationError where a person must consent again.
        """


HOOK_NAMES: frozenset[str] = frozenset(name for name in vars(Hooks) if not name.startswith("_"))
