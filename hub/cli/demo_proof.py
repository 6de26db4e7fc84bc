"""What the demo proves: each promise, held against what both systems say of themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.cli.demo_data import BUFFER, CHANNELS_OWN, LOCATIONS, RETURNS_DESK
from hub.cli.demo_stage import HOLD_S, Seen

NAMED = 3  # faults that are named; of more, the number


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise: the proof in words and numbers, and what speaks against it."""

    id: str
    says: str
    proof: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[str] = ()

    @property
    def kept(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.faults

    def __str__(self) -> str:
        more = f" and {len(self.faults) - NAMED} more" if len(self.faults) > NAMED else ""
        return f"{self.id} is broken: {'; '.join(self.faults[:NAMED])}{more}"


def named(what: Iterable[str], why: str) -> list[str]:
    """Return one fault for each thing."""
    return [f"{each} {why}" for each in sorted(what)]


def otherwise(holds: object, fault: str) -> list[str]:
    """Return the fault unless something holds."""
    return [] if holds else [fault]


def orders_arrive(seen: Seen, now: float) -> Promise:
    """M1 and law 1, as the hold has ended and before anything else happens."""
    living = seen.living
    times = Counter(one["ref"] for one in seen.sales if not one["deleted"])
    doubled = [ref for ref, n in times.items() if n > 1]
    return Promise(
        "M1",
        "orders of the channel become open sales orders, by SKU",
        f"every order whose hold was over: {len(living)} open sales orders, {len(doubled) or 'none'} twice, with the "
        "SKUs and quantities that buyers want",
        {"sales_orders": len(living), "doubled": doubled},
        [
            *named(doubled, "has several sales orders"),
            *named((r for r, one in living.items() if Counter(one["items"]) != seen.wanted(r)), "has other goods"),
            *named((r for r, one in living.items() if one["state"] != "open"), "is not open"),
            *named(seen.missing(now), "did not arrive"),
            *otherwise(living, "no order arrived"),
        ],
    )


def stock_agrees(seen: Seen, off: Collection[str], tries: Mapping[str, Any]) -> Promise:
    """M2 and law 5: the channel sells what the ERP can spare, and refuses what there is not."""
    both, differ = seen.compared(off), seen.unequal(off)
    sells, refused = tries["sells"], [n for n, bought in tries["offers"] if not bought]
    return Promise(
        "M2",
        "the ERP's stock is what the channel sells, within the hour",
        f"{tries['sku']} counted anew: {tries['free']} free in the ERP - {tries['held']} in held orders - {BUFFER} "
        f"buffer = {sells} on the channel {tries['minutes']} minutes later; buyers of {sells} were served, of "
        f"{', '.join(map(str, refused))} refused. {len(both) - len(differ)} of {len(both)} SKUs agree",
        {"compared": len(both), "equal": len(both) - len(differ), **tries},
        [
            *[f"{sku} sells {sold}, the ERP can spare {spare}" for sku, (sold, spare) in differ.items()],
            *named((sku for sku, (_, spare) in both.items() if spare < 0), "was oversold"),
            *otherwise(tries["minutes"] <= HOLD_S / 60, f"it took {tries['minutes']} minutes"),
            *otherwise(tries["held"], "no order was held when stock was counted"),
            *otherwise([bought for _, bought in tries["offers"]] == [False, False, True, False], "it sold wrongly"),
        ],
    )


def shipped(seen: Seen, whole: str, partly: str, three: str, mapped: str) -> Promise:
    """M3 and law 7: tracking arrives unit by unit."""
    both = {ref: seen.pieces(ref) for ref in (whole, partly, three, mapped)}
    expected = dict.fromkeys(both, "shipped") | {partly: "partly-shipped"}
    parcels = {number for sent, _ in both.values() for _, number in sent}
    numbers = parcels & {number for _, told in both.values() for _, number in told}
    split = len({number for _, number in both[three][1]})
    return Promise(
        "M3",
        "what the ERP delivers is shipped on the channel, with its tracking",
        f"an order whole, one in part, one in three parcels, one by a carrier that the route maps: {len(parcels)} "
        f"parcels in the ERP, {len(numbers)} numbers on the channel, each on the units under it; the three arrived "
        f"as {split}",
        {"parcels": len(parcels), "numbers": len(numbers), "of_the_three": split},
        [
            *named((r for r, (sent, told) in both.items() if sent != told or not told), "lacks its tracking"),
            *named((r for r, state in expected.items() if seen.orders[r]["state"] != state), "has the wrong state"),
            *otherwise(split == len(seen.sale(three).get("parcels", ())), "parcels were joined"),
        ],
    )


def held(first: Seen, placed: Seen, last: Seen, late: Sequence[str], fewer: str) -> Promise:
    """M4 and law 3: nothing leaves before its hour; what leaves is the order as it stands; later changes follow."""
    living = placed.living
    waits = {ref: one["made_at"] - (placed.orders[ref]["paid_at"] or one["made_at"]) for ref, one in living.items()}
    edited = [ref for ref in living if ref in first.orders and _has_changed(first, placed, ref)]
    gone = [ref for ref, order in placed.orders.items() if order["state"] == "cancelled"]
    deleted = [ref for ref in late if ref in last.ever and ref not in last.living]
    shortest = min(waits.values(), default=0.0)
    rows = Counter(last.sale(fewer).get("items", {}))
    return Promise(
        "M4",
        "orders are held an hour and go as they stand then; later changes follow",
        f"shortest wait {shortest / 60:.1f} min; {len(edited)} edited in the hold arrived edited, {len(gone)} "
        f"cancelled in it never; {len(deleted)} cancelled later are deleted, one that lost a piece has "
        f"{rows.total()} left",
        {"shortest_wait_s": round(shortest, 1), "edited": len(edited), "cancelled_in_hold": len(gone),
         "deleted_later": len(deleted), "changed_later": int(rows == last.wanted(fewer))},
        [
            *named((ref for ref, wait in waits.items() if wait < HOLD_S), "left before its hour"),
            *named((r for r in edited if living[r]["address"] != placed.orders[r]["address"]), "has its old address"),
            *named((ref for ref in gone if ref in placed.ever), "was cancelled in the hold and arrived"),
            *named(set(late) - set(deleted), "was cancelled later and is still there"),
            *otherwise(rows == last.wanted(fewer), f"{fewer} lost a piece, and its sales order did not"),
            *otherwise(edited and gone, "nobody edited, or nobody cancelled, in the hold"),
        ],
    )  # fmt: skip


def _has_changed(before: Seen, after: Seen, ref: str) -> bool:
    return before.wanted(ref) != after.wanted(ref) or before.orders[ref]["address"] != after.orders[ref]["address"]


def done_by_channel(before: Seen, after: Seen, left_out: str) -> Promise:
    """M5 and law 6: what the channel ships is recorded at a place of its own, or left out."""
    mine = {ref for ref, order in after.orders.items() if order["by_channel"]}
    out = {ref for ref in mine if after.is_tea(ref)}
    gone = {ref for ref in mine - out if after.orders[ref]["state"] == "shipped"}
    recorded = {ref: after.living[ref] for ref in gone if ref in after.living}
    moved = [sku for sku in before.stock if _own(before, sku) != _own(after, sku)]
    units = sum(sum(one["items"].values()) for one in recorded.values())
    there = -sum(places.get(CHANNELS_OWN, {}).get("on_hand", 0) for places in after.stock.values())
    return Promise(
        "M5",
        "what the channel ships itself is recorded as Done, or left out",
        f"{len(recorded)} orders are shipped from {CHANNELS_OWN!r} in the ERP, {units} pieces with their numbers; "
        f"{len(out)} of tea left out by a route; own stock of {len(moved) or 'no'} SKU moved",
        {"recorded": len(recorded), "left_out": len(out), "pieces": units, "own_stock_moved": moved},
        [
            *named(gone - recorded.keys(), "is not recorded"),
            *named((ref for ref, one in recorded.items() if not _is_done(after, ref, one)), "is recorded wrongly"),
            *named(out & after.ever, "should have been left out"),
            *named(moved, "moved in the own stock"),
            *otherwise(recorded and after.orders[left_out]["state"] == "shipped", "nothing was shipped there"),
            *otherwise(there == units, f"{there} pieces left {CHANNELS_OWN}, not {units}"),
        ],
    )


def _is_done(seen: Seen, ref: str, one: Mapping[str, Any]) -> bool:
    sent, told = seen.pieces(ref)
    return one["state"] == "shipped" and one["location"] == CHANNELS_OWN and sent == told


def _own(seen: Seen, sku: str) -> int:
    return sum(level["on_hand"] for place, level in seen.stock.get(sku, {}).items() if place in LOCATIONS)


def switches(off: Mapping[str, Mapping[str, Mapping[str, int]]], item: str, seen: Seen) -> tuple[Promise, Promise]:
    """M6 and M7: a section that is off makes no call of its kind; an item that is off keeps what it sells.

    Args:
        off: by section, how many calls of its kind each role got while it was ``off`` and when it was ``on`` again,
            and how many ``others`` while it was off.
    """
    erp, channel = (_by_section(off, role) for role in ("erp", "channel"))
    sells, spare = sum(seen.sells[item].values()), seen.spare(item)
    return (
        Promise(
            "M6",
            "each section that concerns the ERP has its switch",
            f"there was something to do, and the ERP got these calls with the section off (on): {_counts(erp)}",
            erp,
            _loud(erp),
        ),
        Promise(
            "M7",
            "each section that concerns the channel has its switch, each item too",
            f"the channel got with the section off (on): {_counts(channel)}; {item}, off by its SKU: {spare} to "
            f"spare in the ERP, still {sells} on the channel",
            {"sections": channel, item: {"sells": sells, "spare": spare}},
            [*_loud(channel), *otherwise(sells and not spare, f"{item} is off, and yet its stock went out")],
        ),
    )


def _by_section(off: Mapping[str, Mapping[str, Mapping[str, int]]], role: str) -> dict[str, tuple[int, ...]]:
    """Return a role's calls with each section off, on, and others; the ERP gets none for listings."""
    wanted = (section for section in off if (role, section) != ("erp", "products"))
    return {section: tuple(off[section][which][role] for which in ("off", "on", "others")) for section in wanted}


def _counts(calls: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{section} {off} ({on})" for section, (off, on, _) in calls.items())


def _loud(calls: Mapping[str, tuple[int, ...]]) -> list[str]:
    wrong = ((section, n) for section, n in calls.items() if n[0] or not n[1] or not n[2])
    return [f"{section}: {off} calls when off, {on} when on; {rest} others" for section, (off, on, rest) in wrong]


def places(
    theirs: Collection[str], told: Collection[str], mapped: Mapping[str, str], seen: Seen, west: str, back: str
) -> Promise:
    """M9: pickup and return places are told apart, and each leads to a place of the ERP.

    Args:
        theirs, told: the channel's locations with their kinds, by its own account and by the hub's.
    """
    left = seen.sale(west).get("location")
    home = set(seen.sale(back).get("returned_to", ()))
    return Promise(
        "M9",
        "pickup and return warehouses are separate, and each is mapped",
        f"{'; '.join(f'{name} to {to}' for name, to in mapped.items())}. What was bought from West left {left}, what "
        f"came back lies at {', '.join(sorted(home)) or 'no place'}",
        {"mapped": dict(mapped), "left": left, "returned_to": sorted(home)},
        [
            *named(set(theirs) ^ set(told), "is not told as the channel has it"),
            *named(set(theirs) - mapped.keys(), "is not mapped"),
            *otherwise(left == LOCATIONS[1], f"the order from West left {left}"),
            *otherwise(home == {RETURNS_DESK}, f"what came back lies at {sorted(home)}"),
        ],
    )


def product_listed(states: Mapping[str, Sequence[str]], whole: str, bare: str, lacks: Sequence[str]) -> Promise:
    """M10: what the channel lacks is pushed once, as the route file says; what is not ready is named, and not pushed.

    Args:
        states: of the listings on the channel, by SKU.
        lacks: what the hub says the bare one lacks.
    """
    return Promise(
        "M10",
        "products can be pushed to the channel; what is missing is named",
        f"{whole}, new in the ERP, is there as {' and '.join(states[whole]) or 'nothing'}; {bare}, without picture and "
        f"words, {'is not' if not states[bare] else 'is'}: {', '.join(lacks) or 'nothing was said'}",
        {"states": dict(states), "lacks": list(lacks)},
        [
            *otherwise(
                list(states[whole]) == ["draft"], f"{whole} has the listings {list(states[whole])}, not a draft"
            ),
            *otherwise(not states[bare] and lacks, f"{bare} is not ready, and that was not said"),
        ],
    )


def reviewed(
    planned: set[str], made: set[str], writes: int, orders: set[str], fates: set[str], tells: Mapping[str, bool]
) -> Promise:
    """M11 and law 2: what would be done is shown before, and is what is done; and each order tells where it stands.

    Args:
        planned, made: the refs of what the plan said, with so many ``writes``, and of what came of it.
        orders, fates: those that the channel has, and those whose fate the hub tells.
        tells: of those that were asked how they came to it, whether they say.
    """
    besides = made - planned
    return Promise(
        "M11",
        "the flow of orders can be reviewed, before and while it runs",
        f"the plan named {len(planned)} sales orders and wrote {writes or 'nothing'}; {len(made & planned)} of them "
        f"were made, {len(besides) or 'none'} besides. {len(fates)} orders have one fate each; {sum(tells.values())} "
        f"of {len(tells)} asked how they came to it say so",
        {
            "planned": len(planned),
            "made": len(made),
            "named": len(made & planned),
            "writes": writes,
            "told": len(tells),
        },
        [
            *named(planned - made, "was planned and not made"),
            *named(besides, "was made unplanned"),
            *otherwise(not writes, f"the plan wrote {writes} times"),
            *otherwise(planned, "nothing was planned"),
            *named(orders ^ fates, "is not an order of both, with one fate"),
            *named((ref for ref, does in tells.items() if not does), "does not tell its story"),
        ],
    )
