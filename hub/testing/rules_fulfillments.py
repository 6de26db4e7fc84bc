"""Rules about what an ERP says has left: nothing is missed, nothing told twice, what is undone is told too."""

from __future__ import annotations

from decimal import Decimal

from hub.contract import Fulfillment
from hub.testing._placed import ERP_HOOKS, shippable
from hub.testing.stage import Pulled, Stage, demand, needs, shown

HOOK = "pull_fulfillments"


class FulfillmentRules:
    """Rules about pull_fulfillments and fetch_fulfillments."""

    @needs(HOOK, *ERP_HOOKS, deeds=["ship"])
    def test_a_fulfillment_tells_order_rows_and_tracking(self, stage: Stage) -> None:
        """What left of which row under which number: from that the channel is told."""
        bench = stage.bench()
        order = shippable(stage, bench)
        ref = order.ship("KITTRACK1", at=1)
        told = _told(stage.whole(bench, hook=HOOK), ref)
        demand(told.order_ref == order.ref, f"it is of order {order.ref}, and says {told.order_ref}")
        lines: dict[str, Decimal] = {}
        for row, count in (item for package in told.packages for item in package.lines.items()):
            lines[row] = lines.get(row, Decimal(0)) + count
        demand(lines == {list(order.lines)[1]: 1}, f"one unit of the second row left, it tells {lines}")
        numbers = [package.tracking_number for package in told.packages]
        demand(numbers == ["KITTRACK1"], f"the number is KITTRACK1, it tells {numbers}")

    @needs(HOOK, *ERP_HOOKS, deeds=["ship"])
    def test_pages_of_fulfillments_are_read_lazily(self, stage: Stage) -> None:
        """The hub stores each page before it asks for the next."""
        bench, count = stage.bench(), stage.stated.fulfillment_count
        order = shippable(stage, bench, count)
        refs = {order.ship(f"KIT{at}") for at in range(count)}
        stage.whole(bench, hook=HOOK)
        pulled = Pulled()
        whole = stage.calls_of(lambda: pulled.pages.extend(stage.whole(bench, hook=HOOK).pages))
        demand(whole > 1, "all fulfillments came in one call, so paging is not tested; state more fulfillment_count")
        demand(refs <= set(pulled.latest()), f"{len(refs - set(pulled.latest()))} of {count} fulfillments are missing")
        pages = stage.iterate(bench, None, HOOK)
        first = stage.calls_of(lambda: next(pages))
        demand(first < whole, f"the first page already took all {whole} calls")

    @needs(HOOK, *ERP_HOOKS, deeds=["ship"])
    def test_what_ships_after_a_pull_is_in_the_next_one(self, stage: Stage) -> None:
        """Also where it falls into the same second, and whichever order it is of."""
        bench = stage.bench()
        first, second = shippable(stage, bench), shippable(stage, bench)
        cursor = None
        for at, order in enumerate((first, second, first)):
            ref = order.ship(f"KIT{at}", at=at // 2)
            pulled = stage.whole(bench, cursor, HOOK)
            _told(pulled, ref)
            cursor = pulled.cursor(cursor)

    @needs(HOOK, *ERP_HOOKS, deeds=["ship", "retrack"])
    def test_a_number_entered_after_a_pull_is_told(self, stage: Stage) -> None:
        """People pack first and enter the number later."""
        bench = stage.bench()
        ref = shippable(stage, bench).ship("KITWRONG1")
        cursor = stage.whole(bench, hook=HOOK).cursor()
        stage.outside.pass_time(30)
        stage.outside.retrack(ref, "KITRIGHT2")
        told = _told(stage.whole(bench, cursor, HOOK), ref)
        numbers = [package.tracking_number for package in told.packages]
        demand(numbers == ["KITRIGHT2"], f"the number was corrected to KITRIGHT2, it tells {numbers}")

    @needs(HOOK, *ERP_HOOKS, deeds=["ship", "unship"])
    def test_a_fulfillment_deleted_after_a_pull_is_told(self, stage: Stage) -> None:
        """Goods that never left; else the channel would wait for them for ever."""
        bench = stage.bench()
        order = shippable(stage, bench)
        ref, other = order.ship("KITGONE1"), order.ship("KITSTAYS2", at=1)
        cursor = stage.whole(bench, hook=HOOK).cursor()
        stage.outside.pass_time(30)
        stage.outside.unship(ref)
        pulled = stage.whole(bench, cursor, HOOK)
        demand(_told(pulled, ref).deleted, f"fulfillment {ref} was deleted, and is told as living")
        kept = pulled.latest().get(other)
        demand(kept is None or not kept.deleted, f"fulfillment {other} was not deleted, and is told as such")

    @needs(HOOK, *ERP_HOOKS, deeds=["ship"])
    def test_packages_have_keys_of_their_own(self, stage: Stage) -> None:
        """A key names the parcel on both sides, through all readings."""
        bench = stage.bench()
        orders = [shippable(stage, bench) for _ in range(2)]
        for at, order in enumerate((*orders, orders[0])):
            order.ship(f"KIT{at}", at=1)
        told = stage.whole(bench, hook=HOOK).latest()
        demand(len(told) >= 3, f"three parcels left, {len(told)} fulfillments are told")
        keys = sorted(package.key for one in told.values() for package in one.packages)
        demand(len(set(keys)) == len(keys), f"two packages share a key: {keys}")
        demand(len(keys) >= 3, f"three parcels left, there are {len(keys)} packages")
        again = sorted(package.key for one in _latest(stage).values() for package in one.packages)
        demand(again == keys, f"read again, the packages are called {again}, not {keys}")

    @needs("fetch_fulfillments", *ERP_HOOKS, deeds=["ship"])
    def test_fetch_tells_each_fulfillment_as_it_now_stands(self, stage: Stage) -> None:
        """Those that are asked for and no others, each once."""
        bench = stage.bench()
        order = shippable(stage, bench, 3, 1)
        refs = [order.ship(f"KITFETCH{at}") for at in range(3)]
        for asked in (refs[:1], refs[1:], refs):
            found = bench.hooks.fetch_fulfillments(refs=asked)
            got = sorted(one.ref for one in found)
            demand(got == sorted(asked), f"asked for {sorted(asked)}, got {got}")
            numbers = {one.ref: [package.tracking_number for package in one.packages] for one in found}
            wanted = {ref: [f"KITFETCH{refs.index(ref)}"] for ref in asked}
            demand(numbers == wanted, f"the numbers are {wanted}, fetched were {numbers}")
            demand(not any(one.deleted for one in found), f"living fulfillments are told as deleted: {shown(found)}")

    @needs("fetch_fulfillments", *ERP_HOOKS, deeds=["ship", "unship"])
    def test_a_fulfillment_that_is_gone_comes_back_deleted(self, stage: Stage) -> None:
        """Deleted, or not known at all; one that is left out would be waited for."""
        bench = stage.bench()
        order = shippable(stage, bench)
        ref, other = order.ship("KITGONE1"), order.ship("KITSTAYS2", at=1)
        stage.outside.unship(ref)
        asked = [ref, stage.stated.unknown_fulfillment, other]
        found = {one.ref: one.deleted for one in bench.hooks.fetch_fulfillments(refs=asked)}
        wanted = {asked[0]: True, asked[1]: True, other: False}
        demand(found == wanted, f"deleted are told as {found}, not {wanted}")


def _told(pulled: Pulled, ref: str) -> Fulfillment:
    found = pulled.latest().get(ref)
    demand(found is not None, f"fulfillment {ref} is not among the {len(pulled.items)} that were pulled")
    if not isinstance(found, Fulfillment):
        raise AssertionError(f"pull_fulfillments gave what is no Fulfillment: {shown(found)}")
    return found


def _latest(stage: Stage) -> dict[str, Fulfillment]:
    return stage.whole(stage.bench(), hook=HOOK).latest()
