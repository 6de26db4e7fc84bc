"""Cancellations: what buyers ask for and what became of it, the seller's answer, and the seller's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hub.contract import Cancellation, CancellationState, Connection, LineStatus, Order, OrderStatus, RejectedError
from hub_tiktok.changes import changed_page
from hub_tiktok.codes import DECISION, REASON, UNREADABLE
from hub_tiktok.endpoints import APPROVE, CANCEL, CANCELLATION_SEARCH, REJECT, REJECT_REASONS
from hub_tiktok.errors import RefusedError
from hub_tiktok.feed import SearchPage, Window
from hub_tiktok.payload import Json, children, instant, text
from hub_tiktok.reasons import candidates, valid_reasons
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops

PACKED = "seller_reject_apply_product_has_been_packed"  # T-113
STATES = {  # T-112: answers say _CANCELLED where the filter says _CANCEL
    "CANCELLATION_REQUEST_PENDING": CancellationState.REQUESTED,
    "CANCELLATION_REQUEST_SUCCESS": CancellationState.DONE,
    "CANCELLATION_REQUEST_COMPLETE": CancellationState.DONE,
    "CANCELLATION_REQUEST_CANCEL": CancellationState.WITHDRAWN,
    "CANCELLATION_REQUEST_CANCELLED": CancellationState.WITHDRAWN,
}
ReadOrder = Callable[[str], Order | None]


class Cancellations:
    """Reads and decides cancellations of one shop."""

    def __init__(self, connection: Connection[TikTokSettings], shops: Shops, read: ReadOrder) -> None:
        self._connection = connection
        self._shops = shops
        self._read = read

    def search(self, window: Window, token: str) -> SearchPage:
        """Read one page of the cancellations changed in a window, oldest change first: one call."""
        return changed_page(self._shops, CANCELLATION_SEARCH, "cancellations", "cancel_id", window, token)

    def decide(self, cancellation: Cancellation, *, accept: bool, reason: str | None) -> None:
        """Accept or refuse a buyer's request: one call, two for a refusal; a repeat does no harm (T-113)."""
        ids = {"cancel_id": cancellation.ref}
        try:
            if accept:
                self._shops.call(APPROVE, {"idempotency_key": f"hub-{cancellation.ref}-approve"}, ids=ids)
            else:
                body = {"reject_reason": self._reject_reason(cancellation.ref, reason)}
                self._shops.call(REJECT, body=body, ids=ids)
        except RefusedError as error:
            if error.code != DECISION.slug or self._state_of(cancellation.ref) is not _wanted(accept=accept):
                raise

    def _state_of(self, ref: str) -> CancellationState | None:
        answer = self._shops.call(CANCELLATION_SEARCH, {"page_size": "10"}, body={"cancel_ids": [ref]})
        found = (each for each in children(answer, "cancellations") if text(each, "cancel_id") == ref)
        return next((STATES.get(text(each, "cancel_status")) for each in found), None)

    def _reject_reason(self, ref: str, reason: str | None) -> str:
        """Return the key of a reason that TikTok takes for this request now, by key or by its words."""
        query = {"return_or_cancel_id": ref, "locale": "en-US"}
        offered = _offered(self._shops.call(REJECT_REASONS, query))
        if reason is None and offered:
            return PACKED if PACKED in offered else next(iter(offered))
        wanted = (reason or "").casefold()
        fitting = [name for name, words in offered.items() if wanted in (name.casefold(), words.casefold())]
        if fitting:
            return fitting[0]
        raise self._no_such_reason(reason, list(offered), f"cancellation {ref}")

    def cancel(self, order_ref: str, reason: str | None) -> None:
        """Cancel an order as its seller: a read, and one call (T-114). One that is cancelled already is fine.

        Raises:
            RejectedError: ``order-packed`` where parts of it have left; ``reason-refused`` names the valid ones.
        """
        order = self._read(order_ref)
        if order is None:
            where = f"{self._connection.id}, order {order_ref}"
            raise RejectedError(UNREADABLE.slug, "TikTok Shop does not know the order", where=where, do=UNREADABLE.do)
        if order.status is OrderStatus.CANCELLED:
            return
        if any(line.status is LineStatus.SHIPPED for line in order.lines):
            raise RejectedError(
                "order-packed",
                "parts of the order have shipped, so the seller cannot cancel it",
                where=f"{self._connection.id}, order {order_ref}",
                do="Call the parcels back, or settle it as a return in Seller Center",
            )
        self._cancel(order, reason)

    def _cancel(self, order: Order, reason: str | None) -> None:
        region = self._shops.current().region
        names = candidates(reason, order.status, region)
        for at, name in enumerate(names):
            try:
                self._shops.call(CANCEL, body={"order_id": order.ref, "cancel_reason": name})
                return
            except RefusedError as error:
                if error.code == REASON.slug and at + 1 < len(names):
                    continue
                if error.code == REASON.slug:
                    break
                now = self._read(order.ref)
                if now is None or now.status is not OrderStatus.CANCELLED:
                    raise
                return
        raise self._no_such_reason(reason, valid_reasons(order.status, region), f"order {order.ref}")

    def _no_such_reason(self, reason: str | None, valid: list[str], where: str) -> RejectedError:
        return RejectedError(
            REASON.slug,
            f"{reason!r} is no reason that TikTok Shop takes here" if reason else "no reason is given",
            where=f"{self._connection.id}, {where}",
            do=f"Choose one of: {', '.join(valid) or 'none is offered now'}",
        )


def cancellation(item: Json, changed_at: datetime) -> Cancellation | None:
    """Return a cancellation; None where its state is a word we do not know."""
    state = STATES.get(text(item, "cancel_status"))
    if state is None or not text(item, "cancel_id") or not text(item, "order_id"):
        return None
    lines = dict.fromkeys(text(each, "order_line_item_id") for each in children(item, "cancel_line_items"))
    deadlines = [instant(each, "deadline") for each in children(item, "seller_next_action_response")]
    return Cancellation(
        ref=text(item, "cancel_id"),
        order_ref=text(item, "order_id"),
        state=state,
        by_buyer=text(item, "role") == "BUYER" or text(item, "cancel_type") == "BUYER_CANCEL",
        lines=tuple(line for line in lines if line),
        reason=text(item, "cancel_reason_text") or text(item, "cancel_reason"),
        decide_by=min((at for at in deadlines if at), default=None),
        updated_at=changed_at,
    )


def _offered(answer: Json) -> dict[str, str]:
    """Return words by key of the reasons in an answer; whichever list has them, since only clients name it (T-113)."""
    listed = [each for name in answer for each in children(answer, name)]
    keys = ("name", "reject_reason", "reason", "key")
    words = ("text", "reject_reason_text", "reason_text")
    found = {_first(each, keys): _first(each, words) for each in listed}
    return {key: said for key, said in found.items() if key}


def _first(item: Json, names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := text(item, name))), "")


def _wanted(*, accept: bool) -> CancellationState:
    return CancellationState.DONE if accept else CancellationState.WITHDRAWN
