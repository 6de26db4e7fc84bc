"""Channel connectors that break one promise each about cancellations and returns."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from hub.contract import Cancellation, Cursor, Page, RejectedError, Return, hookimpl
from tests.contract.broken import breaks
from tests.contract.tiny_desk import TinyDesk
from tests.contract.tiny_system import Json


@breaks("test_a_request_to_cancel_is_told")
class CallsARequestTheSellers(TinyDesk):
    def cancellation(self, row: Json) -> Cancellation:
        return super().cancellation(row).model_copy(update={"by_buyer": False})


@breaks("test_a_request_after_a_pull_is_in_the_next_one")
class ResumesAfterTheLastRequest(TinyDesk):
    @hookimpl
    def pull_cancellations(self, since: Cursor | None, start: datetime) -> Iterator[Page[Cancellation]]:
        known = self.connection.memory.get("all") or ""
        for page in super().pull_cancellations(since, start):
            same = [one for one in page.items if since and one.updated_at.isoformat() <= since]
            fresh = tuple(one for one in page.items if one not in same or one.ref in known.split())
            self.connection.memory.set("all", " ".join([known, *(one.ref for one in page.items if not since)]))
            yield Page(fresh, page.cursor)


@breaks("test_an_accepted_request_cancels_the_order")
class TellsAConsentAsARequest(TinyDesk):
    def cancellation(self, row: Json) -> Cancellation:
        return super().cancellation(row | ({"state": "requested"} if row["state"] == "done" else {}))


@breaks("test_a_refused_request_leaves_the_order")
class TellsARefusalAsARequest(TinyDesk):
    def cancellation(self, row: Json) -> Cancellation:
        return super().cancellation(row | ({"state": "requested"} if row["state"] == "withdrawn" else {}))


@breaks("test_a_decision_that_is_made_already_is_fine")
class RefusesToDecideTwice(TinyDesk):
    @hookimpl
    def decide_cancellation(self, cancellation: Cancellation, accept: bool, reason: str | None) -> bool:
        if self.connection.memory.get(cancellation.ref):
            raise RejectedError("decided", "it is decided already", where="tiny", do="Nothing.")
        self.connection.memory.set(cancellation.ref, "decided")
        return super().decide_cancellation(cancellation, accept, reason)


@breaks("test_a_return_tells_what_comes_back_of_which_order")
class CallsEveryReturnReceived(TinyDesk):
    def goods_return(self, row: Json) -> Return:
        return super().goods_return(row).model_copy(update={"received": True})


@breaks("test_a_return_that_goes_on_after_a_pull_is_told")
class TellsTheFirstStatusForEver(TinyDesk):
    def goods_return(self, row: Json) -> Return:
        known = self.connection.memory.get(row["id"]) or row["status"]
        self.connection.memory.set(row["id"], known)
        return super().goods_return(row | {"status": known})
