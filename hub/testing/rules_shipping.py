"""Rules about telling the other side of parcels: each once, with exactly its lines, whatever happens to answers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hub.contract import Package, PackageResult, TransientError
from hub.testing._placed import Shippable, read_order, shippable
from hub.testing.faults import Kind
from hub.testing.stage import Stage, demand, needs, shown

LOST = (Kind.LOST_REPLY, Kind.CUT_BODY, Kind.GARBAGE, Kind.BROKEN_AFTER)
MOST_CALLS = 6


class ShippingRules:
    """Rules about push_fulfillment, update_fulfillment, list_carriers and fetch_label."""

    @needs("push_fulfillment", deeds=["parcels"])
    def test_each_package_is_told_once_with_exactly_its_lines(self, stage: Stage) -> None:
        """Two parcels stay two, and one holds all that is in it: the buyer tracks each, a channel pays by line."""
        for count in (2, 1):
            order = shippable(stage, stage.bench())
            packages = _packages(order, count)
            order.push(packages)
            _stand(order, packages, f"a push of {count} parcels")

    @needs("push_fulfillment", deeds=["parcels"])
    def test_parcels_told_one_after_another_stay_apart(self, stage: Stage) -> None:
        """The second leaves a day later; the first is as it was."""
        order = shippable(stage, stage.bench())
        packages = _packages(order)
        for count, package in enumerate(packages, start=1):
            order.push([package])
            _stand(order, packages[:count], f"push {count} of two")
            stage.outside.pass_time(60)

    @needs("push_fulfillment", deeds=["parcels"])
    def test_every_package_has_one_result_by_its_key(self, stage: Stage) -> None:
        """With the other side's id of the parcel, by which its number can be corrected later."""
        order = shippable(stage, stage.bench())
        packages = _packages(order)
        results = order.push(packages)
        got, wanted = sorted(one.key for one in results), sorted(package.key for package in packages)
        demand(got == wanted, f"pushed {wanted}, the results are of {got}")
        _all_done(results, "a plain push")
        refs, there = sorted(one.package_ref or "" for one in results), sorted(one.ref for one in order.parcels())
        demand(refs == there, f"the results call the parcels {refs}, the other side {there}")

    @needs("push_fulfillment", deeds=["parcels"])
    def test_a_parcel_that_is_there_is_done_without_a_second_one(self, stage: Stage) -> None:
        """The hub reads the order after every unknown outcome, and says it all again."""
        order = shippable(stage, stage.bench())
        packages = _packages(order)
        order.push(packages)
        for bench in (order.bench, stage.bench()):
            _all_done(order.push(packages, bench), "a second push of the same parcels")
            _stand(order, packages, "a second push of the same parcels")

    @needs("push_fulfillment", deeds=["parcels"])
    def test_a_parcel_whose_answer_was_lost_does_not_ship_twice(self, stage: Stage) -> None:
        """Whichever call of the push it was: the error says that it may have happened, and the next try finds out."""
        warm = stage.bench()
        calls = _calls_of_a_push(stage, shippable(stage, warm))
        unsure = 0
        for kind in LOST:
            for first in range(1, calls + 1):
                unsure += _struck(stage, shippable(stage, warm), kind, first)
        demand(unsure, "no lost answer was told as TransientError(may_have_happened=True)")

    @needs("push_fulfillment", deeds=["parcels"])
    def test_lines_shipped_under_another_number_are_refused(self, stage: Stage) -> None:
        """Somebody shipped them by hand: a second parcel of the same goods would be a lie."""
        order = shippable(stage, stage.bench())
        packages = _packages(order)
        order.push(packages)
        other = order.package("kit-other", packages[0].lines, _number(order, 9))
        results = order.push([other])
        demand([one.key for one in results] == [other.key], f"the results are {shown(results)}")
        demand(results[0].error, f"lines that are shipped under another number gave {shown(results[0])}")
        _stand(order, packages, "a parcel of lines that are shipped already")

    @needs("push_fulfillment", deeds=["parcels"])
    def test_a_parcel_that_cannot_go_does_not_hold_the_others(self, stage: Stage) -> None:
        """Partial failure is normal: one has its reason, the other left."""
        order = shippable(stage, stage.bench())
        good, other = _packages(order)
        bad = other.model_copy(update={"lines": {stage.stated.unknown_order: Decimal(1)}})
        results = {one.key: one for one in order.push([bad, good])}
        demand(set(results) == {bad.key, good.key}, f"pushed two parcels, the results are of {sorted(results)}")
        demand(results[bad.key].error, f"a parcel of a line that is not there gave {shown(results[bad.key])}")
        demand(results[good.key].error is None, f"beside one that cannot go: {shown(results[good.key])}")
        _stand(order, [good], "a push of one good and one bad parcel")

    @needs("push_fulfillment", "update_fulfillment", deeds=["parcels"])
    def test_a_corrected_number_takes_the_place_of_the_first(self, stage: Stage) -> None:
        """The buyer follows one parcel, by the right number; to say it again changes nothing."""
        order = shippable(stage, stage.bench())
        (package, other) = _packages(order)
        refs = {one.key: one.package_ref for one in order.push([package, other])}
        number = _number(order, 8)
        right = package.model_copy(update={"tracking_number": number, "ref": refs[package.key]})
        stage.outside.pass_time(5)
        for time in ("the first time", "the second time"):
            given, present = order.fulfillment([right]), order.present()
            results = order.bench.hooks.update_fulfillment(fulfillment=given, order=present)
            demand([one.key for one in results] == [right.key], f"corrected {time}, the results are {shown(results)}")
            _all_done(results, f"a correction, {time}")
            _stand(order, [right, other], f"a correction, {time}")

    @needs("list_carriers", "fetch_orders", deeds=["seed_open_order"])
    def test_carriers_are_there_and_have_refs_of_their_own(self, stage: Stage) -> None:
        """The operator's file maps to one of them; without any, nothing could be told."""
        bench = stage.bench()
        order = read_order(stage, bench, stage.outside.seed_open_order())
        delivery = order.delivery_ref if order is not None else None
        demand(delivery, "an open order tells no delivery_ref, so nobody can ask who brings it")
        carriers = bench.hooks.list_carriers(delivery_ref=delivery)
        demand(carriers, f"list_carriers knows nobody who brings {delivery}")
        refs = [carrier.ref for carrier in carriers]
        demand(len(set(refs)) == len(refs), f"two carriers share a ref: {sorted(refs)}")
        demand(all(carrier.name.strip() for carrier in carriers), "a carrier has no name")

    @needs("fetch_label", deeds=["seed_label"])
    def test_a_label_is_a_document(self, stage: Stage) -> None:
        """It goes to a printer; a page that says to come back later is TransientError ``label-not-ready``."""
        bench, ref = stage.bench(), stage.outside.seed_label()
        for _ in range(20):
            label = stage.attempt(lambda: bench.hooks.fetch_label(package_ref=ref))
            if not isinstance(label, TransientError):
                break
            demand(label.code == "label-not-ready", f"a label that is not ready gave {shown(label)}")
            stage.outside.pass_time(label.retry_after_s or 60)
        demand(not isinstance(label, Exception), f"fetch_label gave {shown(label)}")
        is_page = label.content.lstrip()[:1] in (b"{", b"<")
        demand(label.content and not is_page, f"the label begins with {label.content[:12]!r}")
        demand("/" in label.media_type, f"the label's media type is {label.media_type!r}")


def _number(order: Shippable, digit: int) -> str:
    return f"KIT{order.ref}N{digit}"


def _packages(order: Shippable, count: int = 2) -> list[Package]:
    parts = order.parts(count)
    return [order.package(f"kit{order.ref}p{at}", lines, _number(order, at)) for at, lines in enumerate(parts)]


def _stand(order: Shippable, packages: Sequence[Package], after: str) -> None:
    """Check that these parcels stand on the other side, and no others."""
    there = sorted((one.tracking_number or "", sorted(one.lines.items())) for one in order.parcels())
    wanted = sorted((package.tracking_number or "", sorted(package.lines.items())) for package in packages)
    demand(there == wanted, f"after {after} there is {there}, not {wanted}")


def _all_done(results: Sequence[PackageResult], what: str) -> None:
    failed = [one.error for one in results if one.error is not None]
    demand(not failed, f"{what} was refused: {failed[:1]}")


def _calls_of_a_push(stage: Stage, order: Shippable) -> int:
    packages = _packages(order)
    given, present = order.fulfillment(packages), order.present()
    calls = stage.calls_of(lambda: order.bench.hooks.push_fulfillment(fulfillment=given, order=present))
    demand(calls, "a push made no call")
    return min(calls, MOST_CALLS)


def _struck(stage: Stage, order: Shippable, kind: Kind, first: int) -> bool:
    """Push while one answer gets lost, then again with the order as it now stands; say whether it was told unsure."""
    packages, where = _packages(order), f"a push with {kind} at call {first}"
    given, present = order.fulfillment(packages), order.present()
    stage.channel.fail(kind, first=first, times=1)
    result = stage.attempt(lambda: order.bench.hooks.push_fulfillment(fulfillment=given, order=present))
    stage.channel.heal()
    stage.channel.wait_quiet()
    stood = order.parcels()
    if isinstance(result, Exception):
        demand(isinstance(result, TransientError), f"{where} gave {shown(result)}")
        may = isinstance(result, TransientError) and result.may_have_happened
        demand(may or not stood, f"{where}: parcels stand there, the error says that nothing can have happened")
    else:
        may = False
        done = [one for one in result if one.error is None]
        demand(len(done) <= len(stood), f"{where}: {len(done)} count as done, {len(stood)} stand there")
    _all_done(order.push(packages, stage.bench()), f"{where}, pushed again,")
    _stand(order, packages, f"{where}, and once more without")
    return may
