"""What check_connection finds: scopes, the shop, warehouses, the clock."""

from __future__ import annotations

from collections.abc import Sequence

from hub.contract import Finding, Location, LocationKind
from hub_tiktok.endpoints import (
    AFTER_SALES,
    AUTHORIZATION,
    LOGISTICS,
    ORDERS,
    PRODUCT_WRITES,
    PRODUCTS,
    SHIPPING,
    SPLITTING,
)  # fmt: skip
from hub_tiktok.shops import Shop

NEEDED_SCOPES = (ORDERS, LOGISTICS, AUTHORIZATION)  # T-17
ALSO_STOPS = {AUTHORIZATION: ", which also stops webhooks"}  # T-124
FEATURE_SCOPES = {  # T-94: what each further scope is for; orders arrive without them
    SHIPPING: "telling TikTok Shop of shipments, and labels",
    SPLITTING: "splitting an order into several parcels",
    PRODUCTS: "reading products and stock",
    PRODUCT_WRITES: "setting stock, and listing products",
    AFTER_SALES: "reading and deciding cancellations and returns",
}
MOST_AHEAD_S, MOST_BEHIND_S, NOTICEABLE_S = 30, 300, 20  # T-23


def scope_findings(scopes: Sequence[str], reconsent: str) -> list[Finding]:
    """Return which scopes the consent lacks; nothing where the scopes are not known."""
    if not scopes:
        return []
    do = f"Add it to the app in Partner Center; a token keeps the scopes of its consent, so then: {reconsent}"
    missing = [scope for scope in NEEDED_SCOPES if scope not in scopes]
    found = [
        Finding(ok=False, what=f"scope {scope} is not granted{ALSO_STOPS.get(scope, '')}", do=do) for scope in missing
    ]
    found += [
        Finding(ok=False, what=f"scope {scope} is not granted, which stops {feature}; orders arrive without it", do=do)
        for scope, feature in FEATURE_SCOPES.items()
        if scope not in scopes
    ]
    granted = [scope for scope in (*NEEDED_SCOPES, *FEATURE_SCOPES) if scope in scopes]
    return found or [Finding(ok=True, what=f"scopes granted: {', '.join(granted)}")]


def shop_findings(shop: Shop) -> list[Finding]:
    """Return that the shop is reached, and where it sells."""
    return [
        Finding(ok=True, what=f"shop {shop.id} ({shop.name}) is reached"),
        Finding(ok=True, what=f"region {shop.region or 'not told'}"),
    ]


def clock_findings(ahead_s: int | None) -> list[Finding]:
    """Return how far our clock is off, where that was told and is worth telling."""
    if ahead_s is None or -NOTICEABLE_S <= ahead_s <= NOTICEABLE_S:
        return []
    side = "ahead of" if ahead_s > 0 else "behind"
    what = f"this machine's clock is {abs(ahead_s)} s {side} TikTok Shop's"
    do = "Set this machine's clock by a time service (NTP)"
    is_too_far = ahead_s > MOST_AHEAD_S or ahead_s < -MOST_BEHIND_S
    return [Finding(ok=not is_too_far, what=what, do=do)]


def location_findings(locations: Sequence[Location]) -> list[Finding]:
    """Return whether orders can leave from anywhere, and where returns go (T-78)."""
    sales = [place for place in locations if place.kind is LocationKind.SHIPS]
    usable = [place.name for place in sales if place.usable]
    returns = [place.name for place in locations if place.kind is LocationKind.RETURNS]
    return [
        Finding(ok=True, what=f"sales warehouses enabled: {', '.join(usable)}")
        if usable
        else Finding(
            ok=False,
            what="no sales warehouse is enabled" if sales else "the shop has no sales warehouse",
            do="Add or enable a sales (pickup) warehouse in Seller Center",
        ),
        Finding(ok=True, what=f"return warehouses: {', '.join(returns) or 'none'}"),
    ]
