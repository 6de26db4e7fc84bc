"""What only the Connections themselves can say: do they answer, and do they have what the routes name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from hub.config.faults import nearest
from hub.contract import Finding, HubError, Location, LocationKind, Order, OrderKey, PlacedOrder, Variant
from hub.engine.outcome import call
from hub.engine.world import Connected, World
from hub.routing.compose import order_key
from hub.routing.model import Route, ShippingAs
from hub.store import orders

PAGE = 500
ORDERS_BY_PLACE, STOCK_BY_PLACE = "orders/location/by_channel_location", "inventory/locations"
RETURNS_BY_PLACE = "returns/locations"
KINDS = {STOCK_BY_PLACE: LocationKind.SHIPS, RETURNS_BY_PLACE: LocationKind.RETURNS}
"""What a channel's Location must be for, by where a Route names it."""


@dataclass(frozen=True, slots=True)
class Examined:
    """One Connection as it answered; ``error`` where it did not."""

    connection: str
    connector: str
    findings: tuple[Finding, ...] = ()
    locations: tuple[Location, ...] = ()
    error: HubError | None = None
    named_by: dict[str, tuple[str, ...]] = field(default_factory=dict)  # Location ref -> routes that name it

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return self.error is None and all(finding.ok for finding in self.findings)


def examine(world: World, only: str | None = None) -> list[Examined]:
    """Ask each Connection whether it works and has what the routes name; changes nothing there."""
    return [_examine(world, each) for id_, each in world.connected.items() if only in (None, id_)]


def _examine(world: World, connected: Connected) -> Examined:
    findings: list[Finding] = []
    places: list[Location] = []
    try:
        if "check_connection" in connected.capabilities:
            findings += call(world, connected, "check_connection")
        if "list_locations" in connected.capabilities:
            places = call(world, connected, "list_locations")
            findings += [one for route in world.routes for one in _named_places(route, connected.id, places)]
        if "find_variants" in connected.capabilities:
            findings += _named_skus(world, connected)
    except HubError as error:
        return Examined(connected.id, connected.connector, tuple(findings), tuple(places), error)
    findings = findings or [Finding(ok=True, what="nothing to check: the connector offers no check")]
    named = {place.ref: _naming(world.routes, connected.id, place) for place in places}
    return Examined(connected.id, connected.connector, tuple(findings), tuple(places), None, named)


def list_places(world: World, only: str | None = None) -> list[Examined]:
    """Ask each Connection for its Locations, and nothing else."""
    return [_places(world, each) for id_, each in world.connected.items() if only in (None, id_)]


def _places(world: World, connected: Connected) -> Examined:
    if "list_locations" not in connected.capabilities:
        return Examined(connected.id, connected.connector)
    try:
        places: list[Location] = call(world, connected, "list_locations")
    except HubError as error:
        return Examined(connected.id, connected.connector, error=error)
    named = {place.ref: _naming(world.routes, connected.id, place) for place in places}
    return Examined(connected.id, connected.connector, locations=tuple(places), named_by=named)


def names_in(route: Route, connection: str) -> Iterator[tuple[str, str]]:
    """Yield each of a Connection's Locations that a Route names, and where in the Route."""
    orders, stock, returns = route.orders, route.inventory, route.returns
    if route.channel == connection:
        yield from ((name, "orders/when/warehouse") for name in orders.when.locations)
        yield from ((name, ORDERS_BY_PLACE) for name in orders.location.by_channel_location)
        yield from ((name, STOCK_BY_PLACE) for name in (stock.locations if stock.enabled else ()))
        yield from ((name, RETURNS_BY_PLACE) for name in (returns.locations if returns.enabled else ()))
    if route.erp == connection:
        yield from ((name, "orders/location/default") for name in (orders.location.default,) if name)
        yield from ((name, ORDERS_BY_PLACE) for name in orders.location.by_channel_location.values())
        yield from ((name, "orders/fulfilled_by_channel") for name in (orders.done_location,) if name)
        if stock.enabled:
            yield from ((name, "inventory/default") for name in (stock.default,) if name)
            yield from ((feed.location, STOCK_BY_PLACE) for feeds in stock.locations.values() for feed in feeds)
        if returns.enabled:
            yield from ((name, "returns/default") for name in (returns.default,) if name)
            yield from ((name, RETURNS_BY_PLACE) for name in returns.locations.values())


def _naming(routes: Iterable[Route], connection: str, place: Location) -> tuple[str, ...]:
    return tuple(
        route.name
        for route in routes
        if any(name in (place.name, place.ref) for name, _ in names_in(route, connection))
    )


def _named_places(route: Route, connection: str, places: Sequence[Location]) -> Iterator[Finding]:
    for name, key in dict.fromkeys(names_in(route, connection)):
        matching = [place for place in places if name in (place.name, place.ref)]
        where = f"route {route.name}, {key}"
        wanted = KINDS.get(key) if route.channel == connection else None
        if not matching:
            has = ", ".join(place.name for place in places) or "none"
            do = f"{nearest(name, [place.name for place in places])}It has: {has}."
            yield Finding(ok=False, what=f"there is no location {name!r} ({where})", do=do)
        elif wanted is not None and not any(place.kind is wanted for place in matching):
            fit = ", ".join(place.name for place in places if place.kind is wanted) or "none"
            what = f"location {name!r} is of the kind {matching[0].kind.value!r}, not {wanted.value!r} ({where})"
            yield Finding(ok=False, what=what, do=f"Name one that is; it has: {fit}. hub locations lists the kinds.")
        elif len(matching) > 1 and route.erp == connection:
            refs = ", ".join(place.ref for place in matching)
            what = f"{len(matching)} locations are called {name!r} ({where})"
            yield Finding(ok=False, what=what, do=f"Name it by its id, one of: {refs}.")
        elif route.erp == connection and key.startswith("orders/") and not matching[0].usable:
            what = f"location {name!r} does not allow sales ({where})"
            yield Finding(ok=False, what=what, do="Allow sales there, or name another location.")
        else:
            yield Finding(ok=True, what=f"location {name!r} exists ({where})")


def _named_skus(world: World, erp: Connected) -> list[Finding]:
    """Look up the SKUs that the routes themselves name; those of orders are looked up as orders come."""
    naming: dict[str, list[str]] = {}
    for route in world.routes:
        if route.erp != erp.id:
            continue
        skus = {part.sku for parts in route.orders.skus.values() for part in parts}
        if route.orders.shipping.how is ShippingAs.ROW and route.orders.shipping.sku:
            skus.add(route.orders.shipping.sku)
        for sku in skus:
            naming.setdefault(sku, []).append(route.name)
    if not naming:
        return []
    found: list[Variant] = call(world, erp, "find_variants", skus=sorted(naming))
    living = {variant.sku for variant in found if not variant.gone}
    missing = [
        Finding(
            ok=False,
            what=f"there is no variant with SKU {sku} (route {', '.join(naming[sku])}, orders/skus or orders/shipping)",
            do="Create it there, or correct the SKU in the route file.",
        )
        for sku in sorted(set(naming) - living)
    ]
    return missing or [Finding(ok=True, what=f"all {len(naming)} SKUs that the routes name exist")]


def sales_orders(world: World, channel: str, erp: str) -> dict[str, int]:
    """Return how many living sales orders the ERP has for each key of a channel's orders, asking for all of them."""
    keys: list[OrderKey] = []
    before: int | None = None
    with world.store.read() as tx:
        while page := orders.listing(tx, None, PAGE, before):
            before = page[-1].id
            mine = [Order.model_validate_json(row.document) for row in page if row.connection == channel]
            keys += [order_key(order, world.connected[channel].connector) for order in mine]
    found = dict.fromkeys((key.key for key in keys), 0)
    placed: list[PlacedOrder] = (
        call(world, world.connected[erp], "find_orders", orders=keys, before=None) if keys else []
    )
    for each in placed:
        found[each.key] += not each.deleted
    return found
