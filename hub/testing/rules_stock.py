"""Rules about stock: levels are told whole and as they are, and what may be sold is set absolutely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pytest

from hub.contract import ItemResult, LocationKind, Page, SellableStock, StockLevel, Variant
from hub.testing.connection import Bench
from hub.testing.stage import Stage, demand, needs, shown

Told = dict[tuple[str, str], Decimal]


class StockRules:
    """Rules about pull_inventory and push_inventory."""

    @needs("pull_inventory", "find_variants", "list_locations", deeds=["stock"])
    def test_a_variant_has_one_level_in_each_place(self, stage: Stage) -> None:
        """The hub adds levels up over the places that feed a channel: one told twice would be sold twice."""
        bench, variants = _variants(stage, 3)
        wanted = _stocked(stage, bench, variants)
        _is_told(_levels(bench, variants), wanted)

    @needs("pull_inventory", "find_variants", "list_locations", deeds=["stock"])
    def test_stock_is_read_of_the_named_variants_at_the_named_place_alone(self, stage: Stage) -> None:
        """What is read is what the hub asked for; a level of another place would take this one's."""
        bench, variants = _variants(stage, 3)
        wanted = _stocked(stage, bench, variants)
        named = variants[1]
        places = sorted({place for ref, place in wanted if ref == named.ref})
        for place in places:
            got = {(one.variant_ref, one.location_ref) for one in _levels(bench, [named], place)}
            demand(got == {(named.ref, place)}, f"asked for {named.ref} at {place}, got {sorted(got)[:5]}")
        got = {(one.variant_ref, one.location_ref) for one in _levels(bench, None, places[0])}
        strange = sorted({at for _, at in got} - {places[0]})
        demand(got and not strange, f"asked for all at {places[0]}, got {len(got)} levels, also at {strange[:3]}")

    @needs("pull_inventory", "find_variants", "list_locations", deeds=["stock"])
    def test_pages_of_stock_are_read_lazily(self, stage: Stage) -> None:
        """The hub stores each page before it asks for the next; a whole catalogue must not sit in memory."""
        bench, variants = _variants(stage, stage.stated.variant_count)
        _stocked(stage, bench, variants, most_places=1)
        _levels(bench, None)
        whole = stage.calls_of(lambda: _levels(bench, None))
        demand(whole > 1, "a sweep took one call, so paging is not tested; state a larger variant_count")
        pages = iter(_pull(bench, None))
        first = stage.calls_of(lambda: next(pages))
        demand(first < whole, f"the first page already took all {whole} calls")

    @needs("pull_inventory", "find_variants", "list_locations", deeds=["stock"])
    def test_a_sweep_of_all_stock_finds_every_level(self, stage: Stage) -> None:
        """A variant that is missing would be sold out on every channel."""
        bench, variants = _variants(stage, stage.stated.variant_count)
        wanted = _stocked(stage, bench, variants, most_places=1)
        _is_told(_levels(bench, None), wanted, is_all=False)

    @needs("pull_inventory", "find_variants", "list_locations", deeds=["stock"])
    def test_stock_below_zero_is_told_as_it_is(self, stage: Stage) -> None:
        """A place that owes units takes from what the others can sell; read as zero it would oversell."""
        if not stage.stated.negative_stock:
            pytest.skip("the system shows no stock below zero")
        bench, (variant,) = _variants(stage, 1)
        place = _place(bench, variant)
        stage.outside.stock(variant.sku or "", place, -3)
        _is_told(_levels(bench, [variant]), {(variant.ref, place): Decimal(-3)})

    @needs("pull_inventory", "find_variants", "list_locations", deeds=["stock"])
    def test_a_variant_that_is_not_known_has_no_level(self, stage: Stage) -> None:
        """It is left out, and keeps none of the others from being read; a question about none answers with none."""
        bench, variants = _variants(stage, 2)
        wanted = _stocked(stage, bench, variants)
        stranger = variants[0].model_copy(update={"ref": stage.stated.unknown_variant})
        _is_told(_levels(bench, [*variants, stranger]), wanted)
        for asked in ([stranger], []):
            got = _levels(bench, asked)
            demand(not got, f"asked for {len(asked)} variants that are not there, got {shown(got[:1])}")

    @needs("pull_inventory", "find_variants", "list_locations", deeds=["stock"])
    def test_stock_is_told_as_it_now_stands(self, stage: Stage) -> None:
        """What was read a minute ago may be sold by now; nothing is remembered."""
        bench, (variant,) = _variants(stage, 1)
        place = _place(bench, variant)
        for quantity in (8, 2):
            stage.outside.stock(variant.sku or "", place, quantity)
            stage.outside.pass_time(60)
            _is_told(_levels(bench, [variant]), {(variant.ref, place): Decimal(quantity)})

    @needs("push_inventory", "find_variants", deeds=["seed_product", "shelf"])
    def test_pushed_stock_stands_absolutely(self, stage: Stage) -> None:
        """In every place that is named, zero too, and less than before where it is less."""
        bench, variants = _product(stage)
        for quantities in ((7, 0, 12), (5, 1, 0)):
            stock = [_sellable(variant, count) for variant, count in zip(variants, quantities, strict=True)]
            _all_done(bench.hooks.push_inventory(stock=stock))
            for variant, each in zip(variants, stock, strict=True):
                _is_on_shelf(stage, variant, each.quantities)

    @needs("push_inventory", "find_variants", deeds=["seed_product", "shelf"])
    def test_every_pushed_variant_has_one_result(self, stage: Stage) -> None:
        """By its ref; one that is missing would never count as told."""
        bench, variants = _product(stage)
        results = bench.hooks.push_inventory(stock=[_sellable(variant, 4) for variant in variants])
        got, wanted = sorted(one.ref for one in results), sorted(variant.ref for variant in variants)
        demand(got == wanted, f"pushed {wanted}, the results are of {got}")

    @needs("push_inventory", "find_variants", deeds=["seed_product", "shelf", "freeze_stock"])
    def test_a_refused_variant_does_not_hide_that_others_were_done(self, stage: Stage) -> None:
        """Partial failure is normal: what was taken counts as told, what was refused is shown with a reason."""
        bench, variants = _product(stage)
        frozen = variants[1]
        stage.outside.freeze_stock(frozen.sku or "")
        results = {one.ref: one for one in bench.hooks.push_inventory(stock=[_sellable(each, 9) for each in variants])}
        demand(_refused(results.get(frozen.ref)), f"the frozen variant's result is {shown(results.get(frozen.ref))}")
        for variant in (variants[0], variants[2]):
            result = results.get(variant.ref)
            demand(result is not None and result.error is None, f"beside a frozen one, {variant.ref}: {shown(result)}")
            _is_on_shelf(stage, variant, _sellable(variant, 9).quantities)

    @needs("push_inventory", "find_variants", deeds=["seed_product", "shelf"])
    def test_an_unknown_variant_is_a_result_and_no_exception(self, stage: Stage) -> None:
        """It was deleted there a minute ago; the hub goes on with the next product."""
        bench, variants = _product(stage)
        stranger = variants[0].model_copy(update={"ref": stage.stated.unknown_variant})
        results = stage.attempt(lambda: bench.hooks.push_inventory(stock=[_sellable(stranger, 3)]))
        demand(isinstance(results, list), f"the stock of an unknown variant gave {shown(results)}")
        is_told = [one.ref for one in results] == [stranger.ref] and _refused(results[0])
        demand(is_told, f"the stock of an unknown variant gave {shown(results)}")

    @needs("push_inventory", "find_variants", deeds=["seed_product", "shelf"])
    def test_stock_pushed_again_is_done_again(self, stage: Stage) -> None:
        """The answer of the first push may be lost; the same push makes it so, whatever it was."""
        bench, variants = _product(stage)
        stock = [_sellable(variant, 6) for variant in variants]
        for _ in range(2):
            _all_done(bench.hooks.push_inventory(stock=stock))
        for variant in variants:
            _is_on_shelf(stage, variant, _sellable(variant, 6).quantities)


def _variants(stage: Stage, count: int) -> tuple[Bench, list[Variant]]:
    bench = stage.bench()
    return bench, stage.variants(bench, count)


def _product(stage: Stage) -> tuple[Bench, list[Variant]]:
    bench = stage.bench()
    skus = list(stage.outside.seed_product(3))
    found = {variant.sku: variant for variant in bench.hooks.find_variants(skus=skus)}
    demand(set(skus) <= set(found), f"find_variants does not find {sorted(set(skus) - set(found))}")
    variants = [found[sku] for sku in skus]
    homeless = [variant.ref for variant in variants if not (variant.places and variant.product_ref)]
    demand(not homeless, f"without product_ref or places, no stock can be pushed: {homeless}")
    return bench, variants


def _sellable(variant: Variant, units: int) -> SellableStock:
    places = {place: units + at if units else 0 for at, place in enumerate(variant.places)}
    return SellableStock(product_ref=variant.product_ref or "", variant_ref=variant.ref, quantities=places)


def _ships(bench: Bench) -> list[str]:
    known = bench.hooks.list_locations()
    return [place.ref for place in known if place.kind is LocationKind.SHIPS and place.usable]


def _place(bench: Bench, variant: Variant) -> str:
    """Return where a variant may be: what a channel says of it, or any place that ships."""
    return [*variant.places, *_ships(bench)][0]


def _stocked(stage: Stage, bench: Bench, variants: Sequence[Variant], most_places: int = 2) -> Told:
    """Put another quantity of each variant into each place."""
    wanted: Told = {}
    ships = _ships(bench)
    for variant in variants:
        for place in (list(variant.places) or ships)[:most_places]:
            quantity = 3 + len(wanted) % 50
            stage.outside.stock(variant.sku or "", place, quantity)
            wanted[variant.ref, place] = Decimal(quantity)
    demand(wanted, "no place ships, so there is nothing to check")
    return wanted


def _pull(bench: Bench, variants: Sequence[Variant] | None, place: str | None = None) -> Iterator[Page[StockLevel]]:
    refs = None if variants is None else [variant.ref for variant in variants]
    return iter(bench.hooks.pull_inventory(variants=refs, location=place))


def _levels(bench: Bench, variants: Sequence[Variant] | None, place: str | None = None) -> list[StockLevel]:
    return [level for page in _pull(bench, variants, place) for level in page.items]


def _is_told(levels: Sequence[StockLevel], wanted: Told, *, is_all: bool = True) -> None:
    places = [(level.variant_ref, level.location_ref) for level in levels]
    twice = sorted({place for place in places if places.count(place) > 1}) if len(set(places)) < len(places) else []
    demand(not twice, f"several levels of one variant in one place: {twice[:3]}")
    told = {(level.variant_ref, level.location_ref): level.in_stock for level in levels}
    missing = sorted(set(wanted) - set(told))
    demand(not missing, f"{len(missing)} of {len(wanted)} levels are missing: {missing[:3]}")
    wrong = {place: str(told[place]) for place, count in wanted.items() if told[place] != count}
    demand(not wrong, f"in stock is told as {dict(list(wrong.items())[:3])}, there are others")
    strange = {ref for ref, _ in told} - {ref for ref, _ in wanted}
    demand(not (strange and is_all), f"levels of variants that nobody asked for: {sorted(strange)[:3]}")


def _all_done(results: Sequence[ItemResult]) -> None:
    failed = [one.error for one in results if one.error is not None]
    demand(not failed, f"stock was refused: {failed[:1]}")


def _refused(result: ItemResult | None) -> bool:
    return result is not None and bool(result.error)


def _is_on_shelf(stage: Stage, variant: Variant, wanted: dict[str, int]) -> None:
    there = dict(stage.outside.shelf(variant.sku or ""))
    got = {place: there.get(place) for place in wanted}
    demand(got == wanted, f"{variant.ref} was pushed as {wanted}, the shelf holds {got}")
