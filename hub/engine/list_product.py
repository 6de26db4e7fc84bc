"""One ERP product -> one listing on the channel, sent and accounted for; ``listing`` says which are due.

A write's intent is stored before it is sent. After a lost answer the SKUs are looked up, and what is not there is sent
again under the same key, by which the channel knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.contract import (
    AuthorizationError,
    ConfigurationError,
    ContractError,
    HubError,
    ItemResult,
    Listing,
    LocationKind,
    Publish,
    RejectedError,
    TransientError,
    Variant,
)  # fmt: skip
from hub.engine.outcome import call, reason_of, retry_in
from hub.engine.place import patience_s
from hub.engine.world import Connected, World
from hub.host.http import send_before
from hub.host.pictures import Gallery
from hub.routing.listing import Draft
from hub.routing.model import Route
from hub.store import known
from hub.store import products as ledger
from hub.store.products import BLOCKED, DONE, SENDING, UNKNOWN, ListingRow

LASTING_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Sender:
    """Publishes and updates listings of one channel, and writes down what came of each."""

    world: World
    channel: Connected
    route: Route
    gallery: Gallery

    def told(self, draft: Draft) -> str:
        """Return a digest of all that a listing would say."""
        return draft.digest(self.route.products, self.gallery.stamps(draft.skus))

    def send(self, draft: Draft, row: ListingRow | None, asked: str) -> TransientError | None:
        """Publish or update one product; return why there was no answer."""
        attempts = (row.attempts if row is not None and row.asked == asked else 0) + 1
        is_unsure = row is not None and row.state in (SENDING, UNKNOWN)
        try:
            if row is not None and is_unsure and self._found(draft, row, asked):
                return None
            listing = self._listing(draft, row)
        except TransientError as error:
            return self._lost(draft, asked, attempts, error, UNKNOWN if is_unsure else BLOCKED)
        except ConfigurationError as error:
            self._refuse(draft, asked, reason_of(error), attempts, lasting=True)
            return None
        except (RejectedError, ContractError) as error:
            self._refuse(draft, asked, reason_of(error), attempts, lasting=False, state=UNKNOWN)
            return None
        deadline = self.world.clock.now() + timedelta(seconds=self.world.timing.send_window_s)
        over = deadline + timedelta(seconds=patience_s(self.world))
        self.put(draft.product, state=SENDING, asked=asked, due_at=over, attempts=attempts)
        try:
            with send_before(deadline):
                results: list[ItemResult] = call(self.world, self.channel, "push_products", listings=[listing])
        except TransientError as error:
            is_unsure |= error.may_have_happened
            return self._lost(draft, asked, attempts, error, UNKNOWN if is_unsure else BLOCKED)
        except (AuthorizationError, ConfigurationError):
            self.put(draft.product, state=UNKNOWN if is_unsure else BLOCKED, due_at=self.world.clock.now())
            raise
        except HubError as error:
            self._refuse(draft, asked, reason_of(error), attempts, lasting=isinstance(error, RejectedError))
            return None
        self._record(draft, asked, attempts, next((each for each in results if each.ref == listing.key), None))
        return None

    def _lost(
        self, draft: Draft, asked: str, attempts: int, error: TransientError, state: str
    ) -> TransientError:  # fmt: skip
        due_at = self.world.clock.now() + retry_in(attempts, error.retry_after_s)
        reason = [reason_of(error)]
        self.put(draft.product, state=state, asked=asked, due_at=due_at, attempts=attempts, reason=reason)
        return error

    def _found(self, draft: Draft, row: ListingRow, asked: str) -> bool:
        """Look a listing up whose making may have gone through; say whether it is there."""
        if draft.ref is not None or row.ref is not None or "find_variants" not in self.channel.capabilities:
            return False
        skus = {each.sku for each in draft.variants}
        found: list[Variant] = call(self.world, self.channel, "find_variants", skus=sorted(skus))
        living = [each for each in found if each.sku in skus and not each.gone and each.product_ref]
        if not living:
            return False
        with self.world.store.write() as tx:
            known.remember_variants(tx, self.channel.id, found)
        # What it was told is not known if the product has changed since.
        told = self.told(draft) if row.asked == asked else None
        self._done(draft.product, living[0].product_ref, told)
        return True

    def _listing(self, draft: Draft, row: ListingRow | None) -> Listing:
        rules, ref = self.route.products, draft.ref or ref_of(row)
        with self.world.store.read() as tx:
            places = [
                each.ref for each in known.locations_of(tx, self.channel.id)
                if each.kind is LocationKind.SHIPS and each.usable
            ]  # fmt: skip
        # Stock follows by itself; every place is named, for what is left out cannot be added later.
        empty = dict.fromkeys(places, 0) if ref is None else {}
        again = f"~{row.round}" if row is not None and row.round else ""
        return Listing(
            key=f"{draft.product}{again}",
            ref=ref,
            title=draft.title,
            description=self.gallery.words(draft.skus),
            category=draft.category,
            brand=rules.brand,
            attributes=dict(draft.attributes),
            pictures=self.gallery.pictures(draft.skus),
            currency=draft.currency,
            variants=tuple(each.model_copy(update={"quantities": empty}) for each in draft.variants),
            weight_g=rules.weight_g,
            size_cm=rules.size_cm,
            publish=Publish(rules.publish or Publish.DRAFT),
        )

    # -- what came of it

    def _record(self, draft: Draft, asked: str, attempts: int, result: ItemResult | None) -> None:
        if result is None:
            what = f"the connector said nothing of product {draft.product}"
            unsaid = problem("no-result", what, "Report it to the connector's author.")
            self._refuse(draft, asked, unsaid, attempts, lasting=False)
        elif result.error is not None:
            refused = {"code": result.code, "what": result.error, "do": result.do}
            self._refuse(draft, asked, refused, attempts, lasting=result.lasting)
        else:
            said = [problem("listing-warning", each, "Look at the listing on the channel.") for each in result.warnings]
            if draft.unlisted:
                what = f"its listing does not hold {', '.join(draft.unlisted)}"
                do = "Add them on the channel; the hub adds nothing to a listing that is there."
                said.append(problem("listing-partial", what, do))
            self._done(draft.product, result.made or draft.ref, self.told(draft), said)

    def _done(self, product: str, ref: str | None, told: str | None, said: Sequence[dict[str, Any]] = ()) -> None:
        at = self.world.clock.now()
        changes: dict[str, Any] = {"told": told, "told_at": at, "reason": list(said) or None}
        self.put(product, state=DONE, due_at=None, attempts=0, **changes, **({"ref": ref} if ref else {}))

    def _refuse(
        self, draft: Draft, asked: str, reason: dict[str, Any], attempts: int, *, lasting: bool, state: str = BLOCKED
    ) -> None:  # fmt: skip
        wait = timedelta(seconds=LASTING_S) if lasting else retry_in(attempts)
        due_at = self.world.clock.now() + wait
        self.put(draft.product, state=state, asked=asked, reason=[reason], due_at=due_at, attempts=attempts)

    def put(self, product: str, **changes: Any) -> None:
        """Write what is known of a listing, or of the shop itself."""
        with self.world.store.write() as tx:
            ledger.put_listing(tx, self.channel.id, product, changes)


def ref_of(row: ListingRow | None) -> str | None:
    """Return the channel's id of a listing, once it has one."""
    return row.ref if row is not None else None


def problem(code: str, what: str, do: str) -> dict[str, Any]:
    """Return what stands in the way of a listing, as the ledger keeps it."""
    return {"code": code, "what": what, "do": do}
