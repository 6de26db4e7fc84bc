"""Every hook a connector may implement.

A connector is a class with ``name``, ``settings_model``, ``capabilities`` (the hooks it promises) and
``in_flight`` (how many calls may run at once, never two for one Order), built once per Connection with that
Connection. Each hook is a plain method marked ``@hookimpl`` with exactly the arguments below. A text ``consent_note``
may say what a person must know before consenting; it is told as the likely cause too, where a consent fails.

Every hook may raise the errors of ``hub.contract.errors``; ``Raises`` lists only what needs saying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Protocol

import pluggy
from pydantic import BaseModel

from hub.contract.connection import Connection
from hub.contract.model import (
    Account,
    Finding,
    Location,
    Order,
    OrderKey,
    OrderRef,
    PlacedOrder,
    SalesOrder,
    StockLevel,
    Token,
    Variant,
)  # fmt: skip
from hub.contract.paging import Cursor, Page
from hub.contract.selling import ItemResult, Listing, SellableStock
from hub.contract.shipping import (
    Cancellation,
    Carrier,
    Fulfillment,
    Label,
    PackageResult,
    Return,
    SalesReturn,
)  # fmt: skip
from hub.contract.webhooks import Hint, Subscription, Webhook

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
    def begin_order(self, order: SalesOrder) -> Callable[[], PlacedOrder]:
        """Do the first half of ``push_order`` for a new order: return as soon as it has left; see ``http.begin``.

        Optional, beside ``push_order``. It keeps ``in_flight`` orders on their way without a thread for each; with a
        quick ERP that saves a third of the time an order takes.
        Shape:   what is returned does the other half: it is called once, and returns or raises as ``push_order``.
        Repeats: as ``push_order``.
        Raises:  as ``push_order``.
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
    def update_order(self, order: SalesOrder, existing: PlacedOrder) -> PlacedOrder:
        """Make an existing sales order hold these rows, and this address where it is given.

        Shape:   the order as it now stands. What the other side holds already costs no call.
        Repeats: safe; it compares before it writes.
        Raises:  RejectedError with code ``order-packed`` where parts have left and it cannot be changed any more.
        """

    @hookspec(firstresult=True)
    def cancel_order(self, order_ref: str, reason: str | None) -> bool:
        """Cancel an order on the side that this Connection speaks for: delete a sales order, or sell no more.

        Shape:   true once it is so.
        Repeats: safe; one that is gone already is fine.
        Raises:  RejectedError with code ``order-packed`` where parts of it have left: nothing is changed then.
        """

    @hookspec(firstresult=True)
    def pull_inventory(self, variants: Sequence[str] | None, location: str | None) -> Iterator[Page[StockLevel]]:
        """Read the StockLevels of some Variants (by ref), or of all, at one Location or at all.

        Shape:   lazy pages, one StockLevel per Variant and Location; a Variant that is not counted there is left out.
        Repeats: safe; a reading may lag behind a write.
        """

    @hookspec(firstresult=True)
    def push_inventory(self, stock: Sequence[SellableStock]) -> list[ItemResult]:
        """Set what a channel may sell, absolutely; the hub passes the Variants of one product at a time.

        Shape:   one ItemResult per Variant, by its ref; partial failure is normal.
        Repeats: safe; the last write wins.
        """

    @hookspec(firstresult=True)
    def pull_fulfillments(self, since: Cursor | None, start: datetime) -> Iterator[Page[Fulfillment]]:
        """Read Fulfillments created, changed or deleted after a cursor, or at or after ``start`` without one.

        Shape:   lazy pages, one Package each where the other side has one tracking number per Fulfillment; ``lines`` by
                 sales order row ref; the last page carries the cursor for next time.
        Repeats: safe.
        """

    @hookspec(firstresult=True)
    def fetch_fulfillments(self, refs: Sequence[str]) -> list[Fulfillment]:
        """Read the present state of known Fulfillments; one that is gone comes back ``deleted``.

        Repeats: safe.
        """

    @hookspec(firstresult=True)
    def push_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        """Tell the other side that packages left, each with its lines and tracking.

        Shape:   one PackageResult per Package, by its key; partial failure is normal. Towards a channel ``order`` is
                 its present state, read just before; a Package whose lines carry its number there already is done.
                 Where the channel sells the label, Packages come without tracking and the results carry it.
        Repeats: not safe without a new reading of ``order``; the hub reads after every unknown outcome.
        Raises:  TransientError(may_have_happened=True) where an answer was lost.
        """

    @hookspec(firstresult=True)
    def update_fulfillment(self, fulfillment: Fulfillment, order: Order | None) -> list[PackageResult]:
        """Correct the tracking of Packages that exist on the other side (``Package.ref``), or write it back to an ERP.

        Repeats: safe where the other side shows the number; a channel may take one correction only.
        """

    @hookspec(firstresult=True)
    def list_carriers(self, delivery_ref: str) -> list[Carrier]:
        """Read who may bring parcels of one delivery option.

        Repeats: safe.
        """

    @hookspec(firstresult=True)
    def fetch_label(self, package_ref: str) -> Label:
        """Download the label of a parcel that the channel brings.

        Repeats: safe.
        Raises:  TransientError with code ``label-not-ready`` where it must be asked for again.
        """

    @hookspec(firstresult=True)
    def pull_cancellations(self, since: Cursor | None, start: datetime) -> Iterator[Page[Cancellation]]:
        """Read Cancellations created or changed after a cursor, or at or after ``start`` without one.

        Repeats: safe; shape as pull_orders.
        """

    @hookspec(firstresult=True)
    def decide_cancellation(self, cancellation: Cancellation, accept: bool, reason: str | None) -> bool:
        """Accept or refuse a buyer's request; true once it is so.

        Args:
            reason: why it is refused; None: the connector's usual one.

        Repeats: safe; one that is decided already the same way is fine.
        Raises:  RejectedError where the channel does not take the decision.
        """

    @hookspec(firstresult=True)
    def pull_returns(self, since: Cursor | None, start: datetime) -> Iterator[Page[Return]]:
        """Read Returns created or changed after a cursor, or at or after ``start`` without one.

        Repeats: safe; shape as pull_orders.
        """

    @hookspec(firstresult=True)
    def push_return(self, sales_return: SalesReturn) -> str:
        """Book returned goods in; returns the other side's id of the return.

        Repeats: looks the ``key`` up first, so that a repeat makes no second one.
        """

    @hookspec(firstresult=True)
    def push_products(self, listings: Sequence[Listing]) -> list[ItemResult]:
        """Publish new Listings, or update those that have a ``ref``; never touches stock of an existing one.

        Shape:   one ItemResult per Listing, by its key.
        Repeats: safe: a new one carries an idempotency key.
        """

    @hookspec(firstresult=True)
    def check_listing(self) -> list[Finding]:
        """Say what the account still lacks before anything can be listed.

        Shape:   at least one Finding, as check_connection.
        Repeats: safe; changes nothing.
        """

    @hookspec(firstresult=True)
    def read_webhook(self, delivery: Webhook) -> list[Hint]:
        """Verify a delivery by its signature, over the raw body and in constant time, and say where to look.

        Shape:   empty where it is of a type that the connector does not know, or about another account: that is no
                 error. Nothing of the body counts but what it hints at; the hub reads the state itself.
        Repeats: safe; deliveries come twice, late and in any order. Makes no call where it can do without, since the
                 other side waits seconds for an answer; may run beside every other hook.
        Raises:  RejectedError with code ``webhook-signature`` where the signature is missing or wrong.
        """

    @hookspec(firstresult=True)
    def list_webhooks(self) -> list[Subscription]:
        """Read what this Connection's account delivers, and where to, be it ours or not.

        Shape:   one Subscription per event and URL; empty means none.
        Repeats: safe.
        """

    @hookspec(firstresult=True)
    def register_webhooks(self, url: str) -> list[Subscription]:
        """Have every event that this connector reads delivered to a URL; returns what then is delivered there.

        Repeats: safe, and is the renewal: it compares, and writes only what is missing or differs. Subscriptions to
                 other URLs stay where the other side can hold several.
        Raises:  ConfigurationError with code ``webhook-url`` where the other side does not take such a URL.
        """

    @hookspec(firstresult=True)
    def remove_webhooks(self, url: str | None) -> bool:
        """Have nothing delivered to a URL any more (None: to none that this Connection registered); true once it is so.

        Repeats: safe; what is gone already is fine.
        """

    @hookspec(firstresult=True)
    def authorization_url(self, state: str, redirect_url: str | None) -> str:
        """Return the page where a person consents.

        Args:
            redirect_url: where the answer shall arrive, for systems that let the app choose.

        Repeats: safe; makes no call.
        """

    @hookspec(firstresult=True)
    def exchange_code(self, code: str, redirect_url: str | None) -> Token:
        """Exchange the code of a consent for the first pair of tokens.

        Repeats: never; a code works once.
        Raises:  AuthorizationError, with the likely cause, where the code is refused or the account is of a wrong kind.
        """

    @hookspec(firstresult=True)
    def list_accounts(self) -> list[Account]:
        """Read which accounts (shops) the present tokens reach, for a person to choose from.

        Repeats: safe.
        """

    @hookspec(firstresult=True)
    def refresh_token(self, token: Token) -> Token:
        """Exchange a refresh token for a new pair.

        Repeats: never; the hub calls it once per expiry over all processes, since an old token may die with its use.
        Raises:  AuthorizationError where a person must consent again.
        """


HOOK_NAMES: frozenset[str] = frozenset(name for name in vars(Hooks) if not name.startswith("_"))
