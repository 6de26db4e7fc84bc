"""The ledger's view of one ERP's stock and of the shops that sell it -> what each SKU of a channel should sell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fnmatch import fnmatchcase

from hub.contract import Location, LocationKind
from hub.engine import demand
from hub.engine.demand import Names, Taken
from hub.engine.world import World
from hub.routing.fate import Problem
from hub.routing.match import names_of
from hub.routing.model import Component, Route
from hub.routing.reckon import Reckoned, Told, reckon
from hub.routing.stock import Feeding, Level, Shop, Target, evened, part, target
from hub.store import Tx, known
from hub.store import stock as ledger
from hub.store.stock import ItemRow, StockRow

ZERO = Decimal(0)
BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Item:
    """One Variant of a channel: its row of the catalogue, what is known of its stock, and what it consists of."""

    row: ItemRow
    stock: StockRow | None
    parts: Mapping[str, Decimal]  # ERP SKU -> pieces
    reckoned: Reckoned | None  # None: it was never read
    open: Decimal = ZERO  # units that the ledger knows to be open now

    @property
    def is_known(self) -> bool:
        """Say whether what it sells is known: it was read, and no write has been left without an answer since."""
        return self.reckoned is not None and self.stock is not None and self.stock.quantities is not None


@dataclass(frozen=True, slots=True)
class Planned:
    """What one Variant of a channel should sell, or why the hub leaves it alone."""

    item: Item
    target: Target | None = None
    why: Problem | None = None
    unread: tuple[str, ...] = ()  # ERP Variants that must be read before there can be a target


Fed = tuple[tuple[Feeding, ...], Problem | None]


@dataclass(slots=True)
class Side:
    """One shop that sells an ERP's stock."""

    id: str
    route: Route | None  # the one that rules its stock
    items: dict[str, Item] = field(default_factory=dict)
    taken: Taken = field(default_factory=Taken)
    locations: Sequence[Location] = ()
    committed: dict[str, Decimal] = field(default_factory=dict)  # ERP Variant -> units; none where it is not asked
    fed: dict[tuple[str, ...], Fed] = field(default_factory=dict)  # what feeds the Locations that items are sold from


@dataclass(slots=True)
class Scene:
    """Everything that the arithmetic for one ERP needs, read in one transaction."""

    erp: str
    settle: timedelta
    refs: dict[str, list[str]] = field(default_factory=dict)  # ERP SKU -> Variants
    locations: Sequence[Location] = ()
    levels: dict[str, dict[str, Level]] = field(default_factory=dict)  # ERP Variant -> Location -> Level
    sides: dict[str, Side] = field(default_factory=dict)
    switched: dict[str, dict[str, bool]] = field(default_factory=dict)

    def shops(self, ref: str) -> list[Shop]:
        """Return what every shop takes of an ERP Variant."""
        return [
            Shop(side.id, side.taken.ordered.get(ref, ()), side.committed.get(ref) if side.route else None)
            for side in self.sides.values()
        ]


def ruler(world: World, channel: str) -> Route | None:
    """Return the one Route that rules a channel's stock; None where its stock is left alone."""
    return next((route for route in world.routes_from(channel) if route.inventory.enabled), None)


def sources(world: World, tx: Tx, erp: str) -> list[str]:
    """Return the ERP Locations that feed any channel, by ref; names that mean none or several are left out."""
    places = known.locations_of(tx, erp)
    rulers = [ruler(world, shop) for shop in world.shops_of(erp)]
    found: dict[str, None] = {}
    for route in rulers:
        if route is not None and route.erp == erp:
            rules = route.inventory
            feeds = [feed.location for feeds in rules.locations.values() for feed in feeds]
            wanted = feeds + ([rules.default] if rules.default is not None or not feeds else [])
            found |= dict.fromkeys(ref for name in wanted if (ref := erp_location(name, places)) is not None)
    return list(found)


def erp_location(name: str | None, places: Sequence[Location]) -> str | None:
    """Return the one ERP Location of a name (None: its default one), by ref; None where there is not exactly one."""
    found = [place.ref for place in places if (place.is_default if name is None else name in (place.name, place.ref))]
    return found[0] if len(found) == 1 else None


def scene(tx: Tx, world: World, erp: str) -> Scene:
    """Read everything that the arithmetic for one ERP needs."""
    made = Scene(erp, timedelta(seconds=world.timing.stock_settle_s))
    made.refs, made.locations = ledger.refs_by_sku(tx, erp), known.locations_of(tx, erp)
    for row in ledger.levels_of(tx, erp, sources(world, tx, erp)):
        level = Level(row.in_stock, row.committed, row.potential, row.read_at)
        made.levels.setdefault(row.variant_ref, {})[row.location_ref] = level
    for shop in world.shops_of(erp):
        made.sides[shop] = _side(tx, world, made, shop)
        made.switched[shop] = ledger.switches_of(tx, shop)
    return made


def _side(tx: Tx, world: World, made: Scene, shop: str) -> Side:
    route = ruler(world, shop)
    side = Side(shop, route if route is not None and route.erp == made.erp else None)
    side.locations = known.locations_of(tx, shop)
    rows = ledger.items(tx, shop)
    by_sku: dict[str, list[str]] = {}
    for row in rows:
        by_sku.setdefault(row.sku or "", []).append(row.ref)
    names = Names(
        {sku: refs[0] for sku, refs in made.refs.items() if len(refs) == 1},
        {sku: refs[0] for sku, refs in by_sku.items() if len(refs) == 1},
        made.locations,
        side.locations,
    )
    oldest = min((level.read_at for by in made.levels.values() for level in by.values()), default=None)
    side.taken = demand.read(tx, world, shop, made.erp, names, oldest)
    if side.route is None:
        return side
    now = world.clock.now()  # what seems to be read later was read before the clock was set back
    stock = {ref: row for ref, row in ledger.stock_of(tx, shop).items() if row.read_at is None or row.read_at <= now}
    for row in rows:
        item = _item(row, stock.get(row.ref), side.route, side.taken)
        side.items[row.ref] = item
        if item.reckoned is not None and row.kind != BUNDLE:
            for sku, pieces in item.parts.items():
                if (ref := names.refs.get(sku)) is not None:
                    side.committed[ref] = side.committed.get(ref, ZERO) + item.reckoned.committed * pieces
    return side


def _item(row: ItemRow, stock: StockRow | None, route: Route, taken: Taken) -> Item:
    parts: dict[str, Decimal] = {}
    for each in route.orders.skus.get(row.sku or "") or ((Component(row.sku),) if row.sku else ()):
        parts[each.sku] = parts.get(each.sku, ZERO) + each.quantity
    mine, reckoned = taken.open.get(row.ref, ()), None
    if stock is not None and stock.read_at is not None:
        told = Told(stock.quantities or {}, stock.committed or ZERO, stock.demand or ZERO, stock.read_at)
        reckoned = reckon(told, mine)
    return Item(row, stock, parts, reckoned, sum((units.quantity for units in mine), ZERO))


def plan(made: Scene, channel: str) -> Iterator[Planned]:
    """Yield what each Variant of a channel should sell."""
    side = made.sides[channel]
    for item in side.items.values():
        yield planned(made, side, item)


def planned(made: Scene, side: Side, item: Item) -> Planned:
    """Return what one Variant of a channel should sell, or why the hub leaves it alone."""
    why = _left_alone(made, side, item) or _unmatched(made, item)
    if why is not None:
        return Planned(item, why=why)
    assert side.route is not None  # noqa: S101  # a side without one has no items
    rules, places = side.route.inventory, _places(side, item)
    if places not in side.fed:
        side.fed[places] = feedings(side, places, made.locations)
    feeding, why = side.fed[places]
    if why is not None:
        return Planned(item, why=why)
    refs = {sku: made.refs[sku][0] for sku in item.parts}
    wanted = {each.location for each in feeding}
    unread = tuple(ref for ref in refs.values() if wanted - made.levels.get(ref, {}).keys())
    if unread:
        return Planned(item, unread=unread)
    parts = [
        part(sku, item.parts[sku], feeding, made.levels[ref], made.shops(ref), rules, made.settle, side.id)
        for sku, ref in refs.items()
    ]
    return Planned(item, target(parts, places, rules.share))


def _left_alone(made: Scene, side: Side, item: Item) -> Problem | None:
    """Return why an item takes no part in sync: a person's switch, the route file's patterns, or the channel."""
    row = item.row
    switched = made.switched[side.id]
    said = [switched[sku] for sku in (row.sku, *item.parts) if sku in switched]
    patterns = side.route.products.disabled if side.route is not None else ()
    matched = any(fnmatchcase(sku, pattern) for sku in (row.sku or "", *item.parts) for pattern in patterns)
    if said and not all(said):
        return Problem(
            "switched-off", "a person switched it off for sync", f"To sync it: hub products enable {row.sku}"
        )
    if matched and not said:
        do = f"To sync it all the same: hub products enable {row.sku}"
        return Problem("switched-off", "the route file's products/disabled switches it off for sync", do)
    if not row.stockable or row.product_ref is None:
        what = f"the channel lets nobody set its stock: {row.status or 'no reason given'}"
        return Problem("not-stockable", what, "Mend it on the channel, if it should sell by the hub's numbers.")
    return None


def _unmatched(made: Scene, item: Item) -> Problem | None:
    if not item.parts:
        do = "Give it a seller SKU on the channel that the ERP knows."
        return Problem("sku-missing", f"{item.row.name or item.row.ref} has no SKU on the channel", do)
    for sku in item.parts:
        living = made.refs.get(sku, ())
        if not living:
            do = "Create the variant there, or map the SKU under orders/skus of the route; it heals by itself."
            return Problem("variant-unmapped", f"SKU {sku} has no variant in {made.erp}", do, (sku,))
        if len(living) > 1:
            what = f"SKU {sku} belongs to {len(living)} living variants in {made.erp}: {', '.join(living)}"
            return Problem("variant-ambiguous", what, "Leave the SKU on one of them.", (sku,))
    return None


def _places(side: Side, item: Item) -> tuple[str, ...]:
    """Return the Locations that a push must name; never those of returns or run by the channel."""
    never = {place.ref for place in side.locations if place.kind is not LocationKind.SHIPS}
    return tuple(sorted(ref for ref in item.row.places or () if ref not in never))


def feedings(side: Side, places: Sequence[str], erp_locations: Sequence[Location]) -> Fed:
    """Return what feeds the Locations that an item is sold from, or why that cannot be said."""
    assert side.route is not None  # noqa: S101  # only a side with one is asked
    rules = side.route.inventory
    wanted: list[tuple[str, str | None, Decimal]] = []
    for place in places:
        called = names_of(place, side.locations) or (place,)
        feeds = next((rules.locations[name] for name in called if name in rules.locations), ())
        wanted += [(place, feed.location, feed.share) for feed in feeds]
    fed = {place for place, _, _ in wanted}
    if not rules.locations or rules.default is not None:
        # One stock in one place: were it shown in each, each unit could be sold as often as there are places.
        rest = [place for place in places if place not in fed]
        chosen = next((p.ref for p in side.locations if p.is_default and p.ref in rest), next(iter(rest), None))
        if chosen is not None:
            wanted.append((chosen, rules.default, Decimal(100)))
    made = []
    for place, name, share in wanted:
        ref = erp_location(name, erp_locations)
        if ref is None:
            called_so = f"location {name!r}" if name is not None else "one default location"
            do = "Correct the name under inventory of the route; hub locations lists them."
            return (), Problem("location-unknown", f"{side.route.erp} does not have {called_so}, or has it twice", do)
        made.append(Feeding(place, ref, share))
    if not made:
        do = "Feed one of its warehouses under inventory/locations of the route."
        return (), Problem("place-unfed", f"no ERP location feeds any place it sells from ({', '.join(places)})", do)
    return evened(made), None
