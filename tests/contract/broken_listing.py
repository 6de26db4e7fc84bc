"""Connectors that list products, and break one promise each."""

from __future__ import annotations

from collections.abc import Sequence

from hub.contract import Finding, ItemResult, Listing, TransientError, hookimpl
from tests.contract.broken import breaks
from tests.contract.tiny_stock import PLACES
from tests.contract.tiny_store import TinySeller
from tests.contract.tiny_system import Json


@breaks("test_a_draft_is_not_for_sale_and_a_listing_is")
class SellsDrafts(TinySeller):
    def listed(self, listing: Listing) -> Json:
        return super().listed(listing) | {"draft": False}


@breaks("test_every_pushed_listing_has_one_result")
class TellsTheLastOfSeveral(TinySeller):
    @hookimpl
    def push_products(self, listings: Sequence[Listing]) -> list[ItemResult]:
        results = super().push_products(listings)
        return results if any(result.error for result in results) else results[-1:]


@breaks("test_a_listing_pushed_twice_makes_one_product")
class TakesARepeatForAnother(TinySeller):
    """What it made before, as far as it knows, it makes anew."""

    def listed(self, listing: Listing) -> Json:
        times = self.connection.memory.get(listing.key) or ""
        return super().listed(listing) | {"key": listing.key + times}

    def publish(self, listing: Listing) -> ItemResult:
        result = super().publish(listing)
        self.connection.memory.set(listing.key, "again")
        return result


@breaks("test_a_listing_whose_answer_was_lost_may_have_been_made")
class SaysThatALostListingWasNotMade(TinySeller):
    def publish(self, listing: Listing) -> ItemResult:
        try:
            return super().publish(listing)
        except TransientError as error:
            raise TransientError(error.code, error.what, where=error.where, do=error.do) from error


@breaks("test_an_update_of_a_listing_leaves_its_stock_alone")
class EmptiesTheShelfWithAPrice(TinySeller):
    def listed(self, listing: Listing) -> Json:
        body = super().listed(listing)
        empty = dict.fromkeys(PLACES, 0)
        return body | {"offers": {sku: {**offer, "quantities": empty} for sku, offer in body["offers"].items()}}


@breaks("test_a_refused_listing_says_why_and_hides_no_other")
class KeepsTheReasonToItself(TinySeller):
    def publish(self, listing: Listing) -> ItemResult:
        result = super().publish(listing)
        return result.model_copy(update={"error": "refused"}) if result.error else result


@breaks("test_an_account_that_is_ready_to_list_is_found_ready")
class FindsNothingToSay(TinySeller):
    @hookimpl
    def check_listing(self) -> list[Finding]:
        return [each for each in super().check_listing() if not each.ok]


@breaks("test_what_an_account_lacks_for_listings_is_named")
class SaysThatSomethingIsMissing(TinySeller):
    @hookimpl
    def check_listing(self) -> list[Finding]:
        return [
            each if each.ok else Finding(ok=False, what="not ready", do=each.do) for each in super().check_listing()
        ]
