"""How planned writes look: a diff by order, by SKU and by listing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.console import Console
from rich.text import Text

from hub.cli import show
from hub.engine.noted import PlannedWrite

SIGNS = {"+": "green", "~": "yellow", "-": "red", ">": "cyan"}
STOCK, LISTINGS = ("set-stock",), ("list-product", "update-listing")
Line = tuple[str, str]  # its sign, and what is said


def print_writes(console: Console, writes: Sequence[PlannedWrite]) -> None:
    """Print every write under its order, its SKU or its listing."""
    ordered = [each for each in writes if each.kind not in (*STOCK, *LISTINGS)]
    _section(console, "Orders", [(each.order or "", each) for each in ordered])
    for heading, kinds in (("Stock", STOCK), ("Listings", LISTINGS)):
        _section(console, heading, [(each.goods or each.ref, each) for each in writes if each.kind in kinds])


def summary(writes: Sequence[PlannedWrite]) -> str:
    """Return how many writes there are of each kind, in one line."""
    counted: dict[str, int] = {}
    for each in writes:
        counted[each.kind] = counted.get(each.kind, 0) + 1
    said = ", ".join(f"{n} {kind}" for kind, n in sorted(counted.items()))
    return f"{len(writes)} write{'' if len(writes) == 1 else 's'}" + (f": {said}" if said else "")


def _section(console: Console, heading: str, found: Sequence[tuple[str, PlannedWrite]]) -> None:
    if not found:
        return
    console.print(Text(heading, style="bold"))
    rows = []
    last = None
    for name, each in sorted(found, key=lambda pair: pair[0]):
        for sign, said in _lines(each):
            rows.append(("  " + name if name != last else "", Text(sign, style=SIGNS[sign]), said))
            last = name
    console.print(show.table(("", "", ""), rows, headed=False))
    console.print()


def _lines(each: PlannedWrite) -> Iterator[Line]:
    make = _LINES.get(each.kind)
    yield from make(each) if make is not None else [(">", f"{each.kind} {each.ref} in {each.connection}")]


def _units(found: Mapping[str, str]) -> str:
    return ", ".join(f"{quantity} x {sku}" for sku, quantity in found.items())


def _place(each: PlannedWrite) -> Iterator[Line]:
    said = each.detail
    rows = ", ".join(f"{row['quantity']} x {row['sku']}" for row in said["rows"])
    what = f"place {each.ref} in {each.connection}" if each.kind == "place-order" else f"complete {each.ref}"
    place = f", {said['location']}" if said["location"] else ""
    yield "+", f"{what}: {rows}; {said['expected_total']} {said['currency']}{place}"


def _change(each: PlannedWrite) -> Iterator[Line]:
    before, after = each.detail["before"], each.detail["after"]
    moved = [
        f"{sku} {before.get(sku, '0')} -> {after.get(sku, '0')}"
        for sku in sorted({*before, *after})
        if before.get(sku) != after.get(sku)
    ]
    said = ", ".join(moved) or "its address; rows as they are"
    yield "~", f"change {each.detail['number']} in {each.connection}: {said}"


def _delete(each: PlannedWrite) -> Iterator[Line]:
    yield "-", f"delete {each.detail['number']} in {each.connection}: {_units(each.detail['before'])}"


def _cancel(each: PlannedWrite) -> Iterator[Line]:
    yield "-", f"cancel it on {each.connection} ({each.detail['reason']})"


def _parcel(each: PlannedWrite) -> Iterator[Line]:
    words = {
        "tell-parcel": f"tell {each.connection} of parcel {each.ref}",
        "correct-tracking": f"correct the tracking of parcel {each.ref} on {each.connection}",
        "record-done": f"record it as Done in {each.connection}",
    }
    said = each.detail
    number = said["tracking"] or "number as the channel says"
    carrier = f" ({said['carrier']})" if said["carrier"] else ""
    yield ">", f"{words[each.kind]}: {_units(said['units'])}; {number}{carrier}"


def _write_back(each: PlannedWrite) -> Iterator[Line]:
    yield ">", f"write tracking {each.detail['tracking']} back to {each.connection}, shipment {each.ref}"


def _answer(each: PlannedWrite) -> Iterator[Line]:
    answer = "accept" if each.detail["accept"] else "refuse"
    yield ">", f"{answer} the buyer's request to cancel on {each.connection} ({each.ref})"


def _return(each: PlannedWrite) -> Iterator[Line]:
    said = each.detail
    restock = "" if said["restock"] else ", not put back into stock"
    yield "+", f"book return {each.ref} in {each.connection} at {said['location']}: {_units(said['units'])}{restock}"


def _label(each: PlannedWrite) -> Iterator[Line]:
    yield ">", f"save the label of package {each.ref} of {each.connection}"


def _stock(each: PlannedWrite) -> Iterator[Line]:
    before, places = each.about["before"], each.about["places"]
    why = "; ".join(
        f"{term['sku']}: {term['available']} available, {term['unknown']} ordered and not yet there, "
        f"buffer {term['buffer']}"
        for term in each.about["terms"]
    )
    for ref, units in each.detail["quantities"].items():
        was = "?" if before is None else before.get(ref, 0)
        yield "~", f"{each.connection}, {places.get(ref) or ref}: {was} -> {units}" + (f"  ({why})" if why else "")


def _listing(each: PlannedWrite) -> Iterator[Line]:
    said = each.detail
    prices = ", ".join(f"{sku} {price} {said['currency']}" for sku, price in said["prices"].items())
    if said["listing"] is None:
        yield "+", f"{said['publish']} on {each.connection}: {said['title']}; {prices}"
    else:
        yield "~", f"update {said['listing']} on {each.connection}: {said['title']}; {prices}"


_LINES: Mapping[str, Callable[[PlannedWrite], Iterator[Line]]] = {
    "place-order": _place, "complete-order": _place, "change-order": _change, "delete-order": _delete,
    "cancel-order": _cancel, "tell-parcel": _parcel, "correct-tracking": _parcel, "record-done": _parcel,
    "write-back": _write_back, "answer-cancellation": _answer, "book-return": _return, "save-label": _label,
    "set-stock": _stock, "list-product": _listing, "update-listing": _listing,
}  # fmt: skip
