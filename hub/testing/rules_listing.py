"""Rules about listings: made once whatever repeats or is lost, changed without stock, refused with reasons."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from decimal import Decimal

from hub.contract import (
    ItemResult,
    ListedVariant,
    Listing,
    LocationKind,
    Picture,
    Publish,
    TransientError,
)  # fmt: skip
from hub.testing.connection import Bench
from hub.testing.faults import Kind
from hub.testing.stage import Stage, demand, needs, shown

PRICES = (Decimal("12.50"), Decimal("14.00"))
REVIEW_S = 3600.0  # a channel may look at what changed before buyers see it
MOST_CALLS = 8


class ListingRules:
    """Rules about push_products and check_listing."""

    @needs("push_products", "list_locations", deeds=["offers"])
    def test_a_draft_is_not_for_sale_and_a_listing_is(self, stage: Stage) -> None:
        """Both are one product with each SKU, its price and its title; the result carries its id."""
        bench = stage.bench()
        for publish in Publish:
            listing = _listing(stage, bench).model_copy(update={"publish": publish})
            (made,) = _done(bench, [listing])
            _stands(stage, listing, made)
            drafts = {one.draft for each in listing.variants for one in stage.outside.offers(each.sku)}
            demand(drafts == {publish is Publish.DRAFT}, f"pushed as {publish.value}, it is a draft: {drafts}")

    @needs("push_products", "list_locations", deeds=["offers"])
    def test_every_pushed_listing_has_one_result(self, stage: Stage) -> None:
        """By its key; one that is missing would be pushed again and again."""
        bench = stage.bench()
        listings = [_listing(stage, bench), _listing(stage, bench)]
        got = sorted(one.ref for one in bench.hooks.push_products(listings=listings))
        wanted = sorted(listing.key for listing in listings)
        demand(got == wanted, f"pushed {wanted}, the results are of {got}")

    @needs("push_products", "list_locations", deeds=["offers"])
    def test_a_listing_pushed_twice_makes_one_product(self, stage: Stage) -> None:
        """The key says that it is the same, also to a process that knows nothing of the first push."""
        bench = stage.bench()
        listing = _listing(stage, bench)
        (made,) = _done(bench, [listing])
        for again in (bench, stage.bench()):
            (same,) = _done(again, [listing])
            demand(same == made, f"the second push of one key gave product {same}, the first {made}")
            _stands(stage, listing, made)

    @needs("push_products", "list_locations", deeds=["offers"])
    def test_a_listing_whose_answer_was_lost_may_have_been_made(self, stage: Stage) -> None:
        """Whichever call of the push it was: the error says so, and the next push of its key makes no second one."""
        warm = stage.bench()
        listing = _listing(stage, warm)
        calls = stage.calls_of(lambda: _done(stage.bench(), [listing]))
        demand(calls, "a push made no call")
        unsure = sum(_struck(stage, _listing(stage, warm), first) for first in range(1, min(calls, MOST_CALLS) + 1))
        demand(unsure, "no lost answer was told as TransientError(may_have_happened=True)")

    @needs("push_products", "list_locations", "find_variants", deeds=["offers", "stock", "shelf"])
    def test_an_update_of_a_listing_leaves_its_stock_alone(self, stage: Stage) -> None:
        """What it sells is told by push_inventory alone; a price that changes must not sell goods that are gone."""
        bench = stage.bench()
        listing = _listing(stage, bench).model_copy(update={"publish": Publish.LISTING})
        (made,) = _done(bench, [listing])
        stage.outside.pass_time(REVIEW_S)
        found = {one.sku: one for one in bench.hooks.find_variants(skus=[each.sku for each in listing.variants])}
        demand(len(found) == len(listing.variants), f"find_variants does not find what was listed: {sorted(found)}")
        for units, each in enumerate(found.values(), 3):
            stage.outside.stock(each.sku or "", each.places[0], units)
        before = {each.sku: dict(stage.outside.shelf(each.sku)) for each in listing.variants}
        variants = tuple(
            each.model_copy(update={"ref": found[each.sku].ref, "price": each.price + 1, "quantities": {}})
            for each in listing.variants
        )
        changed = listing.model_copy(update={"ref": made, "title": f"{listing.title}, new", "variants": variants})
        _done(bench, [changed])
        stage.outside.pass_time(REVIEW_S)
        _stands(stage, changed, made)
        after = {each.sku: dict(stage.outside.shelf(each.sku)) for each in listing.variants}
        demand(after == before, f"the update of a price turned what is on the shelf from {before} into {after}")

    @needs("push_products", "list_locations", deeds=["offers", "refused_listing"])
    def test_a_refused_listing_says_why_and_hides_no_other(self, stage: Stage) -> None:
        """What it lacks is named for a person to add; the others are made all the same."""
        bench = stage.bench()
        good, (bad, word) = _listing(stage, bench), stage.outside.refused_listing(_listing(stage, bench))
        results = {one.ref: one for one in bench.hooks.push_products(listings=[bad, good])}
        refused, made = results.get(bad.key), results.get(good.key)
        is_told = refused is not None and word in (refused.error or "") and refused.made is None
        demand(is_told, f"a listing that is refused for its {word} gave {shown(refused)}")
        demand(not stage.outside.offers(bad.variants[0].sku), "a listing that counts as refused stands there")
        demand(made is not None and made.error is None, f"beside a refused one, the other gave {shown(made)}")
        _stands(stage, good, (made.made or "") if made is not None else "")

    @needs("check_listing")
    def test_an_account_that_is_ready_to_list_is_found_ready(self, stage: Stage) -> None:
        """At least one finding, all of them well; else nothing would ever be listed."""
        findings = stage.bench().hooks.check_listing()
        demand(findings, "check_listing found nothing, neither well nor missing")
        demand(all(each.ok for each in findings), f"a ready account: {shown([e for e in findings if not e.ok])}")

    @needs("check_listing", deeds=["lack_for_listing"])
    def test_what_an_account_lacks_for_listings_is_named(self, stage: Stage) -> None:
        """With what to do about it; a person sets it up once, before anything is refused."""
        bench, word = stage.bench(), stage.outside.lack_for_listing()
        missing = [each for each in bench.hooks.check_listing() if not each.ok]
        named = [each for each in missing if word in each.what and each.do]
        demand(named, f"the account lacks {word}; check_listing says {shown(missing)}")


def _listing(stage: Stage, bench: Bench) -> Listing:
    """Return a listing of two variants that nobody has pushed, whole enough for any channel, without stock."""
    key = f"KIT{stage.number()}"
    known = bench.hooks.list_locations()
    places = {place.ref: 0 for place in known if place.kind is LocationKind.SHIPS and place.usable}
    variants = tuple(
        ListedVariant(sku=f"{key}-{at}", price=price, options={"Colour": f"Shade {at}"}, quantities=places)
        for at, price in enumerate(PRICES)
    )
    return Listing(
        key=key,
        title=f"Enamelled mug {key}",
        description="Of steel, enamelled, for hot and cold drinks.",
        pictures=(Picture(content=_picture(), name="mug.png", media_type="image/png"),),
        currency=stage.stated.currency,
        variants=variants,
        weight_g=Decimal(420),
        size_cm=(Decimal(12), Decimal(10), Decimal(10)),
    )


def _picture(side: int = 400) -> bytes:
    """Return a grey square as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xc8" * side) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _done(bench: Bench, listings: Sequence[Listing]) -> list[str]:
    """Push listings that must be taken; return the ids of what was made."""
    results: list[ItemResult] = bench.hooks.push_products(listings=listings)
    failed = [one for one in results if one.error is not None]
    demand(results and not failed, f"a listing that lacks nothing was refused: {shown(failed)}")
    demand(all(one.made for one in results), f"the id of what was made is missing: {shown(results)}")
    return [one.made or "" for one in results]


def _struck(stage: Stage, listing: Listing, first: int) -> bool:
    """Push while one answer gets lost, then again; say whether it was told that it may have happened."""
    where = f"a push that lost the answer of call {first}"
    stage.channel.fail(Kind.LOST_REPLY, first=first, times=1)
    result = stage.attempt(lambda: stage.bench().hooks.push_products(listings=[listing]))
    stage.channel.heal()
    stage.channel.wait_quiet()
    is_made, may = bool(stage.outside.offers(listing.variants[0].sku)), False
    if isinstance(result, Exception):
        demand(isinstance(result, TransientError), f"{where} gave {shown(result)}")
        may = isinstance(result, TransientError) and result.may_have_happened
        demand(may or not is_made, f"{where}: it was made, the error says that it cannot have happened")
    (made,) = _done(stage.bench(), [listing])
    _stands(stage, listing, made)
    return may


def _stands(stage: Stage, listing: Listing, made: str) -> None:
    """Check that one product stands there, as the listing says."""
    for each in listing.variants:
        got = [(one.product, one.title, one.price) for one in stage.outside.offers(each.sku)]
        wanted = [(made, listing.title, each.price)]
        demand(got == wanted, f"SKU {each.sku} should be offered as {wanted}, it is as {got}")
