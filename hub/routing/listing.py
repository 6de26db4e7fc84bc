"""The catalogues of both sides + the operator's rules -> what belongs together, what takes part, what is to be listed.

Prices are in the channel's currency, rounded half up to its smallest coin.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from fnmatch import fnmatchcase

from hub.contract import ListedVariant, Variant
from hub.routing.model import Component, ProductRules, Route

Table = Mapping[str, tuple[Component, ...]]
SERVICE = "service"
ONE = Decimal(1)
WHOLE_COINS = frozenset({"CLP", "IDR", "JPY", "KRW", "VND"})  # currencies whose prices have no decimals


class Match(StrEnum):
    """Where an item is."""

    MATCHED = "matched"
    HERE = "here"  # in the ERP only
    THERE = "there"  # on the channel only
    DUPLICATE = "duplicates"  # its SKU is on several living variants of one side


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether an item takes part in sync; ``by`` is ``person``, the pattern that switches it off, or None."""

    enabled: bool = True
    by: str | None = None


PERSON = "person"


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the two catalogues: its SKU (the ERP's where it has it), and the Variants that belong together.

    ``within``: the channel's SKUs that are made of it and others.
    """

    sku: str | None
    match: Match
    switch: Switch
    erp: tuple[Variant, ...] = ()
    channel: tuple[Variant, ...] = ()
    within: tuple[str, ...] = ()


def switch_of(skus: Collection[str], rules: ProductRules, switched: Mapping[str, bool]) -> Switch:
    """Return whether an item takes part, by all SKUs it goes by: a person's word wins over the patterns."""
    if not rules.enabled:
        return Switch()
    said = [switched[sku] for sku in skus if sku in switched]
    if said:
        return Switch(all(said), PERSON)
    pattern = next((each for each in rules.disabled for sku in skus if fnmatchcase(sku, each)), None)
    return Switch() if pattern is None else Switch(enabled=False, by=pattern)


def parts_of(sku: str, table: Table) -> dict[str, Decimal]:
    """Return the ERP SKUs that a channel SKU stands for, and how many pieces of each."""
    parts: dict[str, Decimal] = {}
    for each in table.get(sku) or (Component(sku),):
        parts[each.sku] = parts.get(each.sku, Decimal(0)) + each.quantity
    return parts


def matched(
    erp: Iterable[Variant], channel: Iterable[Variant], route: Route, switched: Mapping[str, bool]
) -> list[Entry]:
    """Return every item of both catalogues once, by SKU; the Variants given are living ones."""
    rules, table = route.products, route.orders.skus
    here, there = _by_sku(each for each in erp if each.kind != SERVICE), _by_sku(channel)
    single, made_of = _split(there, table)
    entries = [Entry(None, Match.HERE, Switch(), erp=(each,)) for each in here.pop(None, ())]
    entries += [Entry(None, Match.THERE, Switch(), channel=(each,)) for each in there.pop(None, ())]
    for sku, variants in here.items():
        assert sku is not None  # noqa: S101  # those without one were taken out
        offers = single.pop(sku, ())
        within = tuple(name for name, parts in made_of.items() if sku in parts)
        is_double = len(variants) > 1 or _is_double(offers)
        match = Match.DUPLICATE if is_double else Match.MATCHED if offers else Match.HERE
        names = {sku, *(each.sku for each in offers if each.sku)}
        entries.append(Entry(sku, match, switch_of(names, rules, switched), tuple(variants), tuple(offers), within))
    for sku, offers in single.items():
        match = Match.DUPLICATE if _is_double(offers) else Match.THERE
        names = {sku, *(each.sku for each in offers if each.sku)}
        entries.append(Entry(offers[0].sku, match, switch_of(names, rules, switched), channel=tuple(offers)))
    for sku, parts in made_of.items():
        found = [here.get(part, []) for part in parts]
        is_double = len(there[sku]) > 1 or any(len(each) > 1 for each in found)
        match = Match.DUPLICATE if is_double else Match.MATCHED if all(found) else Match.THERE
        variants = [each for part in found for each in part]
        switch = switch_of((sku, *parts), rules, switched)
        entries.append(Entry(sku, match, switch, tuple(variants), tuple(there[sku])))
    return sorted(entries, key=lambda each: (each.sku is None, each.sku or ""))


def _by_sku(variants: Iterable[Variant]) -> dict[str | None, list[Variant]]:
    found: dict[str | None, list[Variant]] = {}
    for each in variants:
        found.setdefault(each.sku, []).append(each)
    return found


def _split(
    there: Mapping[str | None, Sequence[Variant]], table: Table
) -> tuple[dict[str, list[Variant]], dict[str, dict[str, Decimal]]]:
    """Tell channel Variants that are one piece of one ERP SKU (by that SKU) from those made of more (by their own)."""
    single: dict[str, list[Variant]] = {}
    made_of: dict[str, dict[str, Decimal]] = {}
    for sku, variants in there.items():
        if sku is None:
            continue
        parts = parts_of(sku, table)
        (first, pieces), *others = parts.items()
        if others or pieces != ONE:
            made_of[sku] = parts
        else:
            single.setdefault(first, []).extend(variants)
    return single, made_of


def _is_double(offers: Iterable[Variant]) -> bool:
    return max(Counter(each.sku for each in offers).values(), default=0) > 1


@dataclass(frozen=True, slots=True)
class Draft:
    """One ERP product as a channel should list it, but for its pictures and words.

    ``product``: what the ERP calls it, which alone makes the key. ``ref``: the channel's listing of it (None: there is
    none). ``lacks``: why it cannot go out, each in one clause. ``unlisted``: SKUs that its listing does not hold.
    ``statuses``: what the channel says of it.
    """

    product: str
    title: str
    currency: str
    skus: tuple[str, ...]
    variants: tuple[ListedVariant, ...] = ()
    ref: str | None = None
    lacks: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    category: str | None = None
    attributes: tuple[tuple[str, str], ...] = ()

    def digest(self, rules: ProductRules, files: Iterable[str] = ()) -> str:
        """Return a short text that changes with whatever the channel is told; ``files`` stand for pictures, words."""
        told = [
            self.title, self.currency, self.category, self.attributes, rules.brand, str(rules.weight_g),
            [str(side) for side in rules.size_cm or ()], list(files),
            [(each.sku, str(each.price.normalize()), sorted(each.options.items())) for each in self.variants],
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]


def drafts(
    erp: Iterable[Variant],
    channel: Sequence[Variant],
    route: Route,
    switched: Mapping[str, bool],
    currency: str | None,
) -> list[Draft]:
    """Return every ERP product that the rules want on the channel: variants that fit a pattern or that a person chose.

    Args:
        currency: the shop's; None: not known, then the ERP's own.
    """
    living = [each for each in erp if each.kind != SERVICE and each.sku]
    times = Counter(each.sku for each in living)
    products: dict[str, list[Variant]] = {}
    for each in living:
        if _is_wanted(each.sku or "", route, switched):
            products.setdefault(each.product_ref or each.ref, []).append(each)
    offers = _split(_by_sku(channel), route.orders.skus)[0]
    makes = _Maker(route, currency, times, offers, channel)
    return [makes.draft(product, variants) for product, variants in sorted(products.items())]


def _is_wanted(sku: str, route: Route, switched: Mapping[str, bool]) -> bool:
    rules = route.products
    is_chosen = switched.get(sku) is True or any(fnmatchcase(sku, pattern) for pattern in rules.skus)
    names = {sku, seller_sku(sku, route.orders.skus) or sku}
    return is_chosen and switch_of(names, rules, switched).enabled


def seller_sku(sku: str, table: Table) -> str | None:
    """Return what the channel calls one piece of an ERP SKU; None where the route's table gives the SKU to others."""
    if parts_of(sku, table) == {sku: ONE}:
        return sku
    return next((name for name in table if parts_of(name, table) == {sku: ONE}), None)


@dataclass(frozen=True, slots=True)
class _Maker:
    route: Route
    currency: str | None
    times: Mapping[str | None, int]
    offers: Mapping[str, Sequence[Variant]]
    channel: Sequence[Variant]

    def draft(self, product: str, variants: Sequence[Variant]) -> Draft:
        rules, skus = self.route.products, tuple(each.sku or "" for each in variants)
        there = {sku: list(self.offers.get(sku, ())) for sku in skus}
        refs = sorted({each.product_ref for offers in there.values() for each in offers if each.product_ref})
        ref = refs[0] if refs else None
        lacks = [each for variant in variants for each in self._lacks(variant)]
        lacks += self._conflicts(refs, there)
        listed = [] if lacks else [self._variant(each, there[each.sku or ""]) for each in variants]
        return Draft(
            product=product,
            title=variants[0].product_name or variants[0].name or skus[0],
            currency=self.currency or variants[0].currency or "",
            skus=skus,
            variants=tuple(listed),
            ref=ref,
            lacks=tuple(lacks),
            unlisted=tuple(sku for sku in skus if not there[sku]) if ref else (),
            statuses=tuple(sorted({each.status for offers in there.values() for each in offers})),
            category=_first(rules.categories, skus),
            attributes=_attributes(rules.attributes, skus),
        )

    def _lacks(self, variant: Variant) -> list[str]:
        sku, rules = variant.sku or "", self.route.products
        lacks = []
        if self.times[sku] > 1:
            lacks.append(f"one variant alone with SKU {sku}, which {self.times[sku]} living ones have in the ERP")
        if seller_sku(sku, self.route.orders.skus) is None:
            lacks.append(f"a SKU of its own on the channel: orders/skus gives {sku} to something else")
        if variant.price is None:
            lacks.append(f"a price of {sku} in the ERP")
        elif not self._price(variant, variant.price) > 0:
            lacks.append(f"a price of {sku} above zero")
        if not (self.currency or variant.currency):
            lacks.append("a currency: neither side has told its own yet")
        elif self.currency and variant.currency not in (None, self.currency) and rules.price_factor == 1:
            lacks.append(
                f"a price_factor that makes {self.currency}, which the shop sells in, of the ERP's {variant.currency}"
            )
        return lacks

    def _conflicts(self, refs: Sequence[str], there: Mapping[str, Sequence[Variant]]) -> list[str]:
        if len(refs) > 1:
            return [f"one listing: its SKUs are in {len(refs)} of them ({', '.join(refs)})"]
        mine = {each.ref for offers in there.values() for each in offers}
        others = [each.sku or each.ref for each in self.channel if each.product_ref in refs and each.ref not in mine]
        return [f"a listing of its own: {refs[0]} holds {', '.join(others[:3])} too"] if others else []

    def _variant(self, variant: Variant, offers: Sequence[Variant]) -> ListedVariant:
        assert variant.price is not None  # noqa: S101  # else it lacks one
        sku = variant.sku or ""
        own = offers[0] if offers else None
        return ListedVariant(
            sku=(own.sku if own else None) or seller_sku(sku, self.route.orders.skus) or sku,
            price=self._price(variant, variant.price),
            options=variant.options,
            ref=own.ref if own else None,
        )

    def _price(self, variant: Variant, price: Decimal) -> Decimal:
        whole = (self.currency or variant.currency) in WHOLE_COINS
        coin = Decimal(1) if whole else Decimal("0.01")
        return (price * self.route.products.price_factor).quantize(coin, ROUND_HALF_UP)


def _first(patterns: Mapping[str, str], skus: Iterable[str]) -> str | None:
    names = list(skus)
    return next((value for p, value in patterns.items() if any(fnmatchcase(sku, p) for sku in names)), None)


def _attributes(patterns: Mapping[str, Mapping[str, str]], skus: Collection[str]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for pattern, values in patterns.items():
        if any(fnmatchcase(sku, pattern) for sku in skus):
            found |= values
    return tuple(found.items())
