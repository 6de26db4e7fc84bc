"""How ``hub order`` shows what followed an order's placement: parcels, cancellations, returns."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from hub.cli import show
from hub.engine.review import Review
from hub.engine.sequel import CancellationView, ParcelView, ReturnView, Units
from hub.engine.why import Why

STATE_STYLE = {"done": "green", "blocked": "bold red", "superseded": "bright_black", "settled": "bright_black"}


def print_sequel(console: Console, found: Review) -> None:
    """Print each kind of thing that there is, with what stands in its way below it."""
    _section(console, ("  parcel", "state", "units", "tracking", "told"), [(_parcel(p), p.why) for p in found.parcels])
    cancelled = [(_cancellation(each), each.why) for each in found.cancellations]
    _section(console, ("  cancellation", "state", "by", "our answer"), cancelled)
    _section(
        console, ("  return", "state", "units", "booked as"), [(_return(each), each.why) for each in found.returns]
    )


def units(found: Sequence[Units]) -> str:
    """Return units in one line, by SKU; several rows of one SKU are added up."""
    sums: dict[str, Units] = {}
    for each in found:
        name = each.sku or f"({each.ref})"
        before = sums.get(name)
        sums[name] = Units(each.ref, name, each.quantity + (before.quantity if before is not None else 0))
    return ", ".join(f"{show.number(each.quantity)} x {name}" for name, each in sums.items())


def _section(
    console: Console, headings: Sequence[str], rows: Sequence[tuple[tuple[show.Cell, ...], tuple[Why, ...]]]
) -> None:
    if not rows:
        return
    console.print()
    console.print(show.table(headings, [cells for cells, _ in rows]))
    for cells, why in rows:
        for each in why:
            console.print(Text(f"  {str(cells[0]).strip()}: {show.clean(each.what)}", style="red"))
            console.print(Text(f"    do: {show.clean(each.do)}"))


def _state(state: str, more: str = "") -> Text:
    return Text(state + more, style=STATE_STYLE.get(state, "yellow"))


def _parcel(each: ParcelView) -> tuple[show.Cell, ...]:
    said = each.tracking_number or "(no number yet)"
    told = f"{show.instant(each.told_at)}, package {each.package}" if each.told_at is not None else ""
    if each.told_at is not None and each.told_tracking not in (None, each.tracking_number):
        told += f", as {each.told_tracking}"
    carrier = f" ({each.carrier})" if each.carrier else ""
    return (f"  {each.shipment}", _state(each.state), units(each.lines), said + carrier, told)


def _cancellation(each: CancellationView) -> tuple[show.Cell, ...]:
    answer = {"accept": "accepted", "refuse": "refused", "ask": "left to a person"}.get(each.decision or "", "")
    if each.state == "requested" and each.decide_by is not None:
        answer += f"{', ' if answer else ''}until {show.instant(each.decide_by)}"
    state = each.state + (f", {len(each.lines)} lines" if each.lines else "")
    return (f"  {each.ref}", state, "the buyer" if each.by_buyer else "the seller or the channel", answer)


def _return(each: ReturnView) -> tuple[show.Cell, ...]:
    arrived = "received" if each.received else each.status
    return (f"  {each.ref}", _state(each.state, f" ({arrived})"), units(each.lines), each.sales_return or "")
