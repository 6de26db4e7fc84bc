"""Why an order stands where it stands, and which command moves it on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.routing.fate import Fate
from hub.store import timeline
from hub.store.orders import OrderRow


@dataclass(frozen=True, slots=True)
class Why:
    """Why an order stands where it stands, and what moves it on."""

    what: str
    do: str
    code: str | None = None


_RETRY = re.compile(r"[,;]? then retry[.;]?$")
_WHY = {
    "unpaid": ("the buyer has not paid yet", "Nothing to do: it goes on by itself once it is paid."),
    "hold": (
        "the buyer may still change or cancel it, so the route holds it for a while",
        "Nothing to do: it goes on by itself. To send it now: hub hold release {ref}",
    ),
    "channel-hold": (
        "the channel itself holds it and forbids shipping",
        "Nothing to do: it goes on by itself when the channel lets it go. The hub cannot shorten this.",
    ),
    "by-hand": ("a person holds it", "To let it go on: hub hold release {ref}"),
    "cancel-requested": (
        "the buyer has asked to cancel it",
        "Accept or refuse the request on the channel; the hub sees the answer by itself.",
    ),
    "until-shipped": (
        "the channel ships it from its own warehouse; it is recorded as Done once it has left",
        "Nothing to do: it goes on by itself.",
    ),
    "before-start": (
        "it is older than the route's start, or was shipped before the hub first saw it",
        "Nothing to do. To include older orders, set an earlier 'start' in the route file.",
    ),
    "already-shipped": ("it was shipped on the channel before the hub placed it", "Nothing to do."),
    "orders-disabled": ("its route has orders switched off", "To take orders, set orders: {{enabled: true}}."),
    "fulfilled-by-channel": ("the channel ships it from its own warehouse", "Nothing to do: own stock is not touched."),
    "cancelled": ("it was cancelled on the channel before it was placed", "Nothing to do."),
    "ready": ("its hold is over and its sales order waits to be sent", "Nothing to do: a running hub sends it."),
    "cancelling": (
        "it was cancelled on the channel, so its sales order is to be deleted",
        "Nothing to do: a running hub deletes it.",
    ),
    "changing": (
        "it changed on the channel, so its sales order is to be changed",
        "Nothing to do: a running hub changes it.",
    ),
    "recording": (
        "the channel has shipped it, and its sales order is to be marked Done",
        "Nothing to do: a running hub does it.",
    ),
}


def why_of(row: OrderRow, entries: Sequence[timeline.Entry]) -> tuple[Why, ...]:
    """Return every reason for an order's fate; none where there is nothing to say."""
    if row.reason:
        return whys(row.reason, row.ref if row.fate == Fate.BLOCKED else None)
    causes = [row.cause or row.fate]
    if row.hand == "held" and row.cause != "by-hand":
        causes.append("by-hand")  # it waits for something else first, and then for the person
    said = [entry.detail.get("reason") for entry in entries if entry.event == "held-by-hand"]
    found = []
    for cause in causes:
        what, do = _WHY.get(cause, ("", ""))
        if cause == "cancelled" and row.placed_digest is not None:
            what = "it was cancelled on the channel, and a person has settled its sales order by hand"
        what += f": {said[-1]}" if cause == "by-hand" and said and said[-1] else ""
        found += [Why(what, do.format(ref=row.ref), cause)] if what else []
    return tuple(found)


def whys(reason: Sequence[dict[str, Any]] | None, ref: str | None = None) -> tuple[Why, ...]:
    """Return problems as the ledger keeps them; where a person must act (``ref``), with the command to say so."""
    return tuple(Why(each["what"], _with_command(each["do"], ref), each["code"]) for each in reason or ())


def _with_command(do: str, ref: str | None) -> str:
    if ref is None or "hub " in do or "by itself" in do:
        return do
    do = _RETRY.sub("", do).rstrip(".;")
    return f"{do}, then: hub retry {ref}" if do else f"hub retry {ref}"
