"""What an author may give besides: what people and buyers do on the other side, and what stands there afterwards.

A rule that asks for a deed which is not given is skipped by the deed's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hub.contract import Listing, Webhook


@dataclass(frozen=True, slots=True)
class SeenParcel:
    """A parcel as it stands on the other side; ``lines`` by sales order row or LineItem, as in Package."""

    ref: str
    lines: Mapping[str, Decimal]
    tracking_number: str | None


@dataclass(frozen=True, slots=True)
class SeenReturn:
    """A living return as it stands in the ERP; ``rows`` by sales order row, added up."""

    ref: str
    rows: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class SeenOffer:
    """A product of a channel that offers an SKU; ``price`` as in ListedVariant, ``draft``: nobody can buy it yet."""

    product: str
    title: str
    price: Decimal
    draft: bool


class Deeds:
    """Everything here is optional; each names the hooks whose rules ask for it. Places are refs of Locations."""

    # pull_products:

    def change_variant(self, sku: str) -> None:
        """Change something of a variant at the present instant."""
        raise self._wanted("change_variant", "pull_products")

    # pull_inventory and push_inventory:

    def stock(self, sku: str, place: str, quantity: int) -> None:
        """Make so many units of a variant be there, none of them promised to anybody."""
        raise self._wanted("stock", "pull_inventory")

    def seed_product(self, count: int) -> Sequence[str]:
        """Add one product with so many variants, whose stock may be set; return their SKUs."""
        raise self._wanted("seed_product", "push_inventory")

    def shelf(self, sku: str) -> Mapping[str, int]:
        """Return how many units of a variant buyers may buy now, by place."""
        raise self._wanted("shelf", "push_inventory")

    def freeze_stock(self, sku: str) -> None:
        """Make the channel refuse any stock of this variant, and of no other of its product."""
        raise self._wanted("freeze_stock", "push_inventory")

    # push_products and check_listing; an update of a listing asks for ``stock`` and ``shelf`` too:

    def offers(self, sku: str) -> Sequence[SeenOffer]:
        """Return every living product that offers an SKU, however it is published."""
        raise self._wanted("offers", "push_products")

    def refused_listing(self, listing: Listing) -> tuple[Listing, str]:
        """Return a listing like this one that is refused, and a word of the reason, such as what it lacks."""
        raise self._wanted("refused_listing", "push_products")

    def lack_for_listing(self) -> str:
        """Take from the account something without which nothing can be listed; return a word of what it is called."""
        raise self._wanted("lack_for_listing", "check_listing")

    # Orders that ship; an ERP's are pushed by the kit itself:

    def seed_open_order(self) -> str:
        """Add an order of a channel that may ship at once, with two lines or more of own SKUs; return its ref."""
        raise self._wanted("seed_open_order", "push_fulfillment, cancel_order and decide_cancellation of a channel")

    def ship(self, order_ref: str, quantities: Mapping[str, int], tracking_number: str) -> str:
        """Ship so many units by SKU as one parcel, as a person would; return the ref of the fulfillment."""
        raise self._wanted("ship", "pull_fulfillments, update_order and cancel_order")

    def retrack(self, fulfillment_ref: str, tracking_number: str) -> None:
        """Give a fulfillment another tracking number, as a person would."""
        raise self._wanted("retrack", "pull_fulfillments")

    def unship(self, fulfillment_ref: str) -> None:
        """Delete a fulfillment, as a person would."""
        raise self._wanted("unship", "pull_fulfillments and fetch_fulfillments")

    def parcels(self, order_ref: str) -> Sequence[SeenParcel]:
        """Return every living parcel of an order."""
        raise self._wanted("parcels", "push_fulfillment and update_fulfillment")

    def seed_label(self) -> str:
        """Make a parcel whose label the channel sells; return the ref of the parcel."""
        raise self._wanted("seed_label", "fetch_label")

    # Cancellations and returns:

    def request_cancel(self, order_ref: str) -> None:
        """Ask to cancel a whole order, as its buyer would; the seller has to answer."""
        raise self._wanted("request_cancel", "pull_cancellations and decide_cancellation")

    def seed_return(self) -> tuple[str, str]:
        """Ask to send something of a shipped order back, as its buyer would; return the refs of return and order."""
        raise self._wanted("seed_return", "pull_returns")

    def send_back(self, return_ref: str) -> None:
        """Take a return one step further, as its buyer would, so that its status changes."""
        raise self._wanted("send_back", "pull_returns")

    def returns(self, order_ref: str) -> Sequence[SeenReturn]:
        """Return every living return of a sales order."""
        raise self._wanted("returns", "push_return")

    # read_webhook and register_webhooks:

    def webhook_url(self) -> str:
        """Return a URL that the system takes for its webhooks; deliveries are signed as for this one."""
        raise self._wanted("webhook_url", "register_webhooks")

    def webhook_bodies(self) -> Sequence[bytes]:
        """Return bodies as the system delivers them, one at least of each type that the connector reads."""
        raise self._wanted("webhook_bodies", "read_webhook")

    def unknown_webhook(self) -> bytes:
        """Return a body of a type that the connector does not read."""
        raise self._wanted("unknown_webhook", "read_webhook")

    def sign_webhook(self, body: bytes) -> Webhook:
        """Return a delivery with this body, signed as the system would; headers only that are part of the proof."""
        raise self._wanted("sign_webhook", "read_webhook")

    # authorization_url, exchange_code, refresh_token and list_accounts:

    def consent_settings(self, url: str) -> dict[str, Any]:
        """Return settings as before a consent: what reaches the system at ``url``, without any token."""
        raise self._wanted("consent_settings", "exchange_code")

    def consent(self, state: str, redirect_url: str) -> str:
        """Consent as a person would on the page; return the code that leads back."""
        raise self._wanted("consent", "exchange_code")

    def _wanted(self, name: str, why: str) -> NotImplementedError:
        return NotImplementedError(f"{type(self).__name__} needs a method {name!r}: the kit asks it of {why}")


def is_given(outside: Deeds, deed: str) -> bool:
    """Say whether an author gave a deed."""
    return getattr(type(outside), deed) is not getattr(Deeds, deed)
