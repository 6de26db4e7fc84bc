"""Rules for ERPs: one order becomes one sales order, whatever goes wrong, and look-ups tell the truth."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

from hub.contract import (
    ConfigurationError,
    HubError,
    PlacedOrder,
    RejectedError,
    TransientError,
)  # fmt: skip
from hub.host.http import send_before
from hub.testing._pushes import is_whole, push, pushes, ready, settle, truth_is_told, ways
from hub.testing.faults import RETRY_AFTER_S, Kind
from hub.testing.rules_account import TELLING_FAULTS, told
from hub.testing.stage import BUYER, Stage, demand, needs, shown

ARRIVES_S = 2.0  # of real time: so long may what has left take on loopback


class PlacingRules:
    """Rules about find_variants, push_order and find_orders."""

    @needs("find_variants")
    def test_find_variants_finds_every_sku_and_no_other(self, stage: Stage) -> None:
        """Exact SKUs: not one that begins alike, nor one in other letters."""
        bench = stage.bench()
        skus = [variant.sku or "" for variant in stage.variants(bench, 4)]
        for asked in (skus[:1], skus[1:3], [*skus, "no-such-sku"], ["no-such-sku"], [skus[0][:-1]], []):
            found = bench.hooks.find_variants(skus=asked)
            wanted = sorted(set(asked) & set(skus))
            got = sorted(str(variant.sku) for variant in found)
            demand(got == wanted, f"asked for {asked}, found {got}")

    @needs("find_variants")
    def test_find_variants_checks_what_came_back(self, stage: Stage) -> None:
        """A server that knows a filter under another name answers with everything."""
        bench = stage.bench()
        skus = [variant.sku or "" for variant in stage.variants(bench, 4)]
        for asked in ([skus[1]], [*skus[:2], "no-such-sku"], ["no-such-sku"]):
            stage.channel.fail(Kind.UNFILTERED, words=asked)
            found = stage.attempt(partial(bench.hooks.find_variants, skus=asked))
            stage.channel.heal()
            _is_exact(found, [sku for sku in asked if sku in skus], "sku")

    @needs("push_order", "find_variants")
    def test_a_push_makes_exactly_one_sales_order_with_all_its_rows(self, stage: Stage) -> None:
        """All lines or none, and the shipping charge with them."""
        bench = stage.bench()
        variants = stage.variants(bench, 3)
        for way in ways(stage):
            order = stage.order(variants)
            before = {one.ref for one in stage.outside.sales_orders()}
            placed = way(bench, order)
            new = [one for one in stage.outside.sales_orders() if one.ref not in before]
            demand(len(new) == 1, f"one push made {len(new)} sales orders")
            is_whole(new[0], order)
            demand(placed.ref == new[0].ref, f"the push says {placed.ref}, the other side calls it {new[0].ref}")
            demand(placed.key == order.key.key, f"the push of {order.key.key} says it was {placed.key}")
            demand(placed.complete and not placed.deleted and placed.ours, f"a plain push gave {shown(placed)}")

    @needs("push_order", "find_variants", "find_orders")
    def test_a_pushed_order_is_found_and_no_other(self, stage: Stage) -> None:
        """One or many at once; the hub concludes from an absence that it may push."""
        bench, variants = ready(stage)
        orders = [stage.order(variants) for _ in range(5)]
        refs = {order.key.key: bench.hooks.push_order(order=order, existing=None).ref for order in orders[:4]}
        for asked in (orders[:1], orders[4:], orders[1:4], orders):
            found = stage.find(stage.bench(), asked)
            got = {one.key: one.ref for one in found}
            wanted = {order.key.key: refs[order.key.key] for order in asked if order.key.key in refs}
            demand(got == wanted and len(found) == len(wanted), f"asked for {len(asked)}: found {got}, not {wanted}")
            demand(not any(one.deleted for one in found), "a living order is said to be deleted")

    @needs("push_order", "find_variants", "find_orders")
    def test_orders_made_before_the_asked_instant_are_found(self, stage: Stage) -> None:
        """``before`` may save calls; it must hide nothing that it does not name."""
        bench, variants = ready(stage)
        orders = [stage.order(variants) for _ in range(3)]
        for order in orders:
            bench.hooks.push_order(order=order, existing=None)
        stage.outside.pass_time(120)
        for asked in (orders[:1], orders):
            found = stage.find(bench, asked, before=stage.outside.now())
            demand(len(found) == len(asked), f"{len(asked)} orders were made two minutes before, {len(found)} found")

    @needs("push_order", "find_variants", "find_orders")
    def test_find_orders_checks_what_came_back(self, stage: Stage) -> None:
        """An order of somebody else's, taken for ours, would never be sent."""
        bench, variants = ready(stage)
        orders = [stage.order(variants) for _ in range(3)]
        for order in orders[:2]:
            bench.hooks.push_order(order=order, existing=None)
        for asked in ([orders[2]], [orders[0]], orders):
            words = [word for order in asked for word in (order.key.key, order.key.ref)]
            stage.channel.fail(Kind.UNFILTERED, words=words)
            found = stage.attempt(partial(stage.find, bench, asked))
            stage.channel.heal()
            _is_exact(found, [order.key.key for order in asked if order is not orders[2]], "key")

    @needs("push_order", "find_variants", "find_orders")
    def test_a_deleted_order_is_found_as_deleted(self, stage: Stage) -> None:
        """A person deleted it on purpose; an order that seems never to have been would be made again."""
        bench, variants = ready(stage)
        order = stage.order(variants)
        placed = bench.hooks.push_order(order=order, existing=None)
        stage.outside.delete_order(placed.ref)
        found = stage.find(bench, [order])
        demand([one.deleted for one in found] == [True], f"a deleted sales order was looked up: {shown(found)}")

    @needs("push_order", "find_variants", "find_orders")
    def test_a_push_whose_answer_is_lost_may_have_happened_and_is_found(self, stage: Stage) -> None:
        """Whichever call of the push it was: no second sales order, and none that the hub believes absent."""
        unsure = 0
        for pushed in pushes(stage, (Kind.LOST_REPLY, Kind.CUT_BODY, Kind.GARBAGE, Kind.SLOW), times=1):
            unsure += truth_is_told(pushed)
            settle(stage, pushed)
        demand(unsure, "no lost answer was told as TransientError(may_have_happened=True)")

    @needs("push_order", "find_variants", "find_orders")
    def test_a_push_that_never_arrived_leaves_nothing_to_find(self, stage: Stage) -> None:
        """What was sent is no proof that it is there; the look-up asks the other side."""
        for pushed in pushes(stage, (Kind.DROP,), times=None):
            truth_is_told(pushed)
            demand(isinstance(pushed.result, TransientError), f"{pushed.where} gave {shown(pushed.result)}")
            if not pushed.stood:
                found = stage.find(stage.bench(), [pushed.order])
                found += stage.find(pushed.bench, [pushed.order])
                demand(not found, f"{pushed.where}: nothing arrived, yet find_orders finds {shown(found)}")
            settle(stage, pushed)

    @needs("push_order", "find_variants")
    def test_a_push_refused_by_429_is_known_not_to_have_happened(self, stage: Stage) -> None:
        """The hub's client waits and sends it again; where that does not help, the error says that nothing was made."""
        for pushed in pushes(stage, (Kind.PACE,), times=1):
            demand(isinstance(pushed.result, PlacedOrder), f"{pushed.where} gave {shown(pushed.result)}")
            demand(len(pushed.stood) == 1, f"{pushed.where}: {len(pushed.stood)} sales orders")
        for pushed in pushes(stage, (Kind.PACE,), times=None):
            error = pushed.result
            demand(isinstance(error, TransientError), f"{pushed.where} gave {shown(error)}")
            if isinstance(error, TransientError) and not pushed.stood:
                demand(
                    not error.may_have_happened, f"{pushed.where}: nothing was made, the error says it may have been"
                )
                demand(error.retry_after_s == RETRY_AFTER_S, f"{pushed.where}: retry_after_s is {error.retry_after_s}")

    @needs("push_order", "find_variants", "find_orders")
    def test_a_push_answered_by_a_server_error_is_not_sent_twice(self, stage: Stage) -> None:
        """A 5xx says nothing of what happened before it; only a look-up tells."""
        unsure = 0
        for pushed in pushes(stage, (Kind.BROKEN_AFTER, Kind.BROKEN, Kind.AWAY), times=1):
            demand(len(pushed.stood) < 2, f"{pushed.where}: the write was repeated, {len(pushed.stood)} sales orders")
            unsure += truth_is_told(pushed)
            settle(stage, pushed)
        demand(unsure, "no server error was told as TransientError(may_have_happened=True)")

    @needs("push_order", "find_variants")
    def test_a_push_with_existing_makes_nothing_new(self, stage: Stage) -> None:
        """The hub found it; what may be missing is added, and a second push changes nothing at all."""
        bench, variants = ready(stage)
        order = stage.order(variants)
        placed = bench.hooks.push_order(order=order, existing=None)
        before = sorted(stage.outside.sales_orders(), key=lambda one: one.ref)
        again = bench.hooks.push_order(order=order, existing=placed)
        demand(again.ref == placed.ref, f"the push of the existing {placed.ref} gave {again.ref}")
        demand(again.complete, "the order stays incomplete, so the hub would push it for ever")
        after = sorted(stage.outside.sales_orders(), key=lambda one: one.ref)
        demand(after == before, f"it changed the other side: {len(before)} sales orders, then {len(after)}")

    @needs("push_order", "find_variants")
    def test_a_rejected_order_says_the_other_sides_reason(self, stage: Stage) -> None:
        """RejectedError blocks this one order; the operator reads why."""
        bench, variants = ready(stage)
        for way in ways(stage):
            order, reason = stage.outside.refused(stage.order(variants))
            before = len(stage.outside.sales_orders())
            result = stage.attempt(partial(way, bench, order))
            demand(isinstance(result, RejectedError), f"a refused order gave {shown(result)}")
            demand(reason.lower() in str(result).lower(), f"the reason {reason!r} is not in: {result}")
            demand(len(stage.outside.sales_orders()) == before, "a refused order was made all the same")

    @needs("push_order", "find_variants")
    def test_nothing_is_written_after_the_send_deadline(self, stage: Stage) -> None:
        """Past it another worker may look the order up and send it; a late write would be the second one."""
        bench, variants = ready(stage)
        for way in ways(stage):
            order, before = stage.order(variants), len(stage.outside.sales_orders())
            with send_before(stage.outside.now() - timedelta(seconds=1)):
                result = stage.attempt(partial(way, bench, order))
            demand(len(stage.outside.sales_orders()) == before, "a sales order was made after the deadline")
            demand(isinstance(result, TransientError), f"a push after the deadline gave {shown(result)}")
            may = getattr(result, "may_have_happened", True)
            demand(not may, "nothing was sent, the error says it may have happened")

    @needs("push_order", "find_variants")
    def test_nothing_is_written_in_a_dry_run(self, stage: Stage) -> None:
        """Every write is told to be one; the hub stops it before it leaves and hears of it."""
        bench, variants = ready(stage)
        before = stage.outside.sales_orders()
        bench.guard.dry = True
        for way in ways(stage):
            result = stage.attempt(partial(way, bench, stage.order(variants)))
            demand(stage.outside.sales_orders() == before, "a sales order was made in a dry run")
            demand(isinstance(result, ConfigurationError), f"a push in a dry run gave {shown(result)}")

    @needs("push_order", "find_variants")
    def test_orders_pushed_at_the_same_time_do_not_mix(self, stage: Stage) -> None:
        """As many calls run at once as ``in_flight`` says, never two for one order."""
        bench, variants = ready(stage)
        many = bench.connector.in_flight
        demand(many >= 1, "in_flight must be 1 or more")
        orders = [stage.order(variants[: 1 + at % 2]) for at in range(2 * many + 1)]
        stage.channel.fail(Kind.SLOW, seconds=0.02)
        with ThreadPoolExecutor(max_workers=many) as pool:
            placed = list(pool.map(lambda order: bench.hooks.push_order(order=order, existing=None), orders))
        stood = {one.ref: one for one in stage.outside.sales_orders()}
        demand(len({one.ref for one in placed}) == len(orders), "two pushes gave the same sales order")
        for order, one in zip(orders, placed, strict=True):
            demand(one.key == order.key.key, f"the push of {order.key.key} says it was {one.key}")
            demand(one.ref in stood, f"the push of {order.key.key} gave {one.ref}, which is not there")
            is_whole(stood[one.ref], order)

    @needs("begin_order", "push_order", "find_variants")
    def test_begun_orders_leave_at_once_and_do_not_mix(self, stage: Stage) -> None:
        """``in_flight`` are begun before the first is finished; one that leaves later than that may leave too late."""
        bench, variants = ready(stage)
        push(bench, stage.order(variants))  # what an ERP is asked only once
        orders = [stage.order(variants[: 1 + at % 2]) for at in range(max(2, bench.connector.in_flight))]
        before = {one.ref for one in stage.outside.sales_orders()}
        begun = [bench.hooks.begin_order(order=order) for order in orders]
        deadline = time.monotonic() + ARRIVES_S
        while len(stage.outside.sales_orders()) < len(before) + len(orders) and time.monotonic() < deadline:
            time.sleep(0.01)
        made = len(stage.outside.sales_orders()) - len(before)
        demand(made == len(orders), f"{len(orders)} orders were begun, {made} have been made")
        placed = [finish() for finish in begun]
        stood = {one.ref: one for one in stage.outside.sales_orders() if one.ref not in before}
        demand({one.ref for one in placed} == set(stood), f"they gave {[one.ref for one in placed]}, not {list(stood)}")
        for order, one in zip(orders, placed, strict=True):
            demand(one.key == order.key.key, f"what was begun for {order.key.key} gave {one.key}")
            is_whole(stood[one.ref], order)

    @needs("push_order", "find_variants")
    def test_no_buyer_appears_in_errors_or_logs(self, stage: Stage) -> None:
        """The other side may repeat what it was sent; an error ends in a ticket."""
        bench, variants = ready(stage)
        for way in ways(stage):
            refused, _ = stage.outside.refused(stage.order(variants))
            stage.attempt(partial(way, bench, refused))
            for kind in TELLING_FAULTS:
                for first in (1, 2):
                    stage.channel.fail(kind, first=first)
                    stage.attempt(partial(way, bench, stage.order(variants)))
        demand(stage.errors, "no fault led to an error, so there is nothing to check")
        said = "\n".join([repr(bench.log.lines), repr(bench.traced), *map(told, stage.errors)])
        leaked = [word for word in BUYER if word in said]
        demand(not leaked, f"{len(leaked)} of the buyer's name, street and e-mail appear: {leaked[:1]}")


def _is_exact(found: Any, wanted: Sequence[str], name: str) -> None:
    """Accept exactly what was wanted, or a refusal to conclude anything."""
    if isinstance(found, HubError):
        demand(isinstance(found, TransientError), f"with the filter ignored it gave {shown(found)}")
        return
    got = sorted(str(getattr(one, name)) for one in found)
    demand(got == sorted(wanted), f"with the filter ignored, {got} was found where {sorted(wanted)} was asked for")
