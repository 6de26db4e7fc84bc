"""Connectors that read or set stock, or read a catalogue, and break one promise each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from hub.contract import (
    Cursor,
    ItemResult,
    Page,
    RejectedError,
    SellableStock,
    StockLevel,
    TransientError,
    Variant,
    hookimpl,
)
from tests.contract.broken import breaks
from tests.contract.tiny_stock import TinyStock
from tests.contract.tiny_system import PAGE, Json

Levels = Iterator[Page[StockLevel]]


@breaks("test_a_variant_has_one_level_in_each_place")
class TellsTheFirstVariantTwice(TinyStock):
    """Only where three are asked for, so that the rules about one and two do not see it."""

    @hookimpl
    def pull_inventory(self, variants: Sequence[str] | None, location: str | None) -> Levels:
        is_many = len(variants or ()) == 3 and "999999999999" not in (variants or ())
        for page in super().pull_inventory(variants, location):
            yield Page(page.items + page.items[:1] if is_many else page.items)


@breaks("test_stock_is_read_of_the_named_variants_at_the_named_place_alone")
class IgnoresThePlace(TinyStock):
    @hookimpl
    def pull_inventory(self, variants: Sequence[str] | None, location: str | None) -> Levels:
        yield from super().pull_inventory(variants, None)


@breaks("test_pages_of_stock_are_read_lazily")
class ReadsAllStockBeforeThePage(TinyStock):
    @hookimpl
    def pull_inventory(self, variants: Sequence[str] | None, location: str | None) -> Levels:
        yield from list(super().pull_inventory(variants, location))


@breaks("test_a_sweep_of_all_stock_finds_every_level")
class LosesALevelPerPageOfASweep(TinyStock):
    @hookimpl
    def pull_inventory(self, variants: Sequence[str] | None, location: str | None) -> Levels:
        for page in super().pull_inventory(variants, location):
            is_lost = variants is None and len(page.items) == PAGE
            yield Page(page.items[1:] if is_lost else page.items)


@breaks("test_stock_below_zero_is_told_as_it_is")
class TakesDebtForNothing(TinyStock):
    def level(self, row: Json) -> StockLevel:
        return super().level(row | {"there": max(row["there"], 0)})


@breaks("test_a_variant_that_is_not_known_has_no_level")
class TakesNoVariantsForAll(TinyStock):
    @hookimpl
    def pull_inventory(self, variants: Sequence[str] | None, location: str | None) -> Levels:
        yield from super().pull_inventory(variants or None, location)


@breaks("test_stock_is_told_as_it_now_stands")
class RemembersStock(TinyStock):
    def level(self, row: Json) -> StockLevel:
        known = self.connection.memory.get(row["id"])
        self.connection.memory.set(row["id"], known or str(row["there"]))
        return super().level(row | {"there": known or row["there"]})


@breaks("test_pushed_stock_stands_absolutely")
class KeepsOneInReserve(TinyStock):
    @hookimpl
    def push_inventory(self, stock: Sequence[SellableStock]) -> list[ItemResult]:
        kept = [
            item.model_copy(update={"quantities": {at: units or 1 for at, units in item.quantities.items()}})
            for item in stock
        ]
        return super().push_inventory(kept)


@breaks("test_every_pushed_variant_has_one_result")
class TellsFailuresAndOneSuccess(TinyStock):
    @hookimpl
    def push_inventory(self, stock: Sequence[SellableStock]) -> list[ItemResult]:
        results = super().push_inventory(stock)
        if any(result.error for result in results):
            return results
        return results[:1]


@breaks("test_a_refused_variant_does_not_hide_that_others_were_done")
class CallsAllRefused(TinyStock):
    @hookimpl
    def push_inventory(self, stock: Sequence[SellableStock]) -> list[ItemResult]:
        results = super().push_inventory(stock)
        error = next((result.error for result in results if result.error), None)
        return [result.model_copy(update={"error": error}) for result in results]


@breaks("test_an_unknown_variant_is_a_result_and_no_exception")
class RaisesForAnUnknownVariant(TinyStock):
    @hookimpl
    def push_inventory(self, stock: Sequence[SellableStock]) -> list[ItemResult]:
        results = super().push_inventory(stock)
        if any(result.error == "unknown" for result in results):
            raise RejectedError("unknown", "a variant is unknown", where="tiny", do="Mend it.")
        return results


@breaks("test_stock_pushed_again_is_done_again")
class RefusesARepeat(TinyStock):
    @hookimpl
    def push_inventory(self, stock: Sequence[SellableStock]) -> list[ItemResult]:
        told = repr(stock)
        if self.connection.memory.get(told):
            return [ItemResult(ref=item.variant_ref, error="it was told already") for item in stock]
        self.connection.memory.set(told, "yes")
        return super().push_inventory(stock)


# Catalogues, and what every pull has in common


@breaks("test_the_last_page_of_every_pull_carries_a_cursor")
class KeepsTheCursorToItself(TinyStock):
    @hookimpl
    def pull_products(self, since: Cursor | None, start: datetime | None) -> Iterator[Page[Variant]]:
        for page in super().pull_products(since, start):
            yield Page(page.items)


@breaks("test_every_pull_gives_the_same_again_for_the_same_cursor")
class AnswersEachCursorOnce(TinyStock):
    last: Cursor | None = None

    @hookimpl
    def pull_products(self, since: Cursor | None, start: datetime | None) -> Iterator[Page[Variant]]:
        is_repeat, self.last = since is not None and since == self.last, since
        for page in super().pull_products(since, start):
            yield Page(() if is_repeat else page.items, page.cursor)


@breaks("test_every_pull_of_which_a_call_fails_raises_transient_error")
class EndsACatalogueQuietly(TinyStock):
    @hookimpl
    def pull_products(self, since: Cursor | None, start: datetime | None) -> Iterator[Page[Variant]]:
        try:
            yield from super().pull_products(since, start)
        except TransientError as error:
            if error.code != "broken":
                raise
            yield Page((), since)


@breaks("test_a_pull_of_the_whole_catalogue_finds_every_variant")
class TellsACatalogueWithoutSkus(TinyStock):
    @hookimpl
    def pull_products(self, since: Cursor | None, start: datetime | None) -> Iterator[Page[Variant]]:
        for page in super().pull_products(since, start):
            yield Page(tuple(variant.model_copy(update={"sku": None}) for variant in page.items), page.cursor)


@breaks("test_a_variant_changed_after_a_pull_is_in_the_next_one")
class TellsNewVariantsOnly(TinyStock):
    def feed(self, path: str, since: str | None, start: datetime | None) -> Iterator[tuple[list[Json], Cursor]]:
        for rows, cursor in super().feed(path, since, start):
            yield [row for row in rows if row["made"] >= (since or "")], cursor
