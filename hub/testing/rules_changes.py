"""Rules about what is undone: buyers' requests are seen and answered, goods come back once."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

from hub.contract import (
    Cancellation,
    CancellationState,
    LocationKind,
    Return,
    SalesReturn,
    TransientError,
)  # fmt: skip
from hub.testing._placed import ERP_HOOKS, Shippable, read_order, shippable
from hub.testing.connection import Bench
from hub.testing.rules_shipping import LOST, MOST_CALLS
from hub.testing.stage import Pulled, Stage, demand, needs, shown

CANCELLATIONS, RETURNS = "pull_cancellations", "pull_returns"
PULL = ("pull_cancellations", "fetch_orders")
DECIDE = (*PULL, "decide_cancellation")
REQUEST = ("seed_open_order", "request_cancel")


class ChangeRules:
    """Rules about pull_cancellations, decide_cancellation, pull_returns and push_return."""

    @needs(*PULL, deeds=REQUEST)
    def test_a_request_to_cancel_is_told(self, stage: Stage) -> None:
        """With its order, as one that somebody has to answer; nothing of that order ships meanwhile."""
        bench = stage.bench()
        order, request = _requested(stage, bench)
        demand(request.state is CancellationState.REQUESTED, f"a buyer's request is told as {request.state}")
        demand(request.by_buyer, "a buyer's request is not told as the buyer's")
        strange = sorted(set(request.lines) - set(order.lines))
        demand(not strange, f"it names lines that are not the order's: {strange}")

    @needs(*PULL, deeds=REQUEST)
    def test_a_request_after_a_pull_is_in_the_next_one(self, stage: Stage) -> None:
        """Also where it falls into the same second as the last one read."""
        bench = stage.bench()
        cursor = None
        for _ in range(3):
            order = shippable(stage, bench)
            stage.outside.request_cancel(order.ref)
            pulled = stage.whole(bench, cursor, CANCELLATIONS)
            _of(pulled, order.ref)
            cursor = pulled.cursor(cursor)

    @needs(*DECIDE, deeds=REQUEST)
    def test_an_accepted_request_cancels_the_order(self, stage: Stage) -> None:
        """The order is cancelled there, and the request is told as done."""
        bench = stage.bench()
        order, request = _requested(stage, bench)
        done = _decide(bench, request, accept=True)
        demand(done is True, f"decide_cancellation gave {shown(done)}; true says that it is so")
        demand(not order.lives(), f"the request was accepted, and order {order.ref} lives")
        _is_told_as(stage, order, CancellationState.DONE)

    @needs(*DECIDE, deeds=REQUEST)
    def test_a_refused_request_leaves_the_order(self, stage: Stage) -> None:
        """The goods are packed; the buyer may send them back."""
        bench = stage.bench()
        order, request = _requested(stage, bench)
        done = _decide(bench, request, accept=False)
        demand(done is True, f"decide_cancellation gave {shown(done)}; true says that it is so")
        demand(order.lives(), f"the request was refused, and order {order.ref} is cancelled")
        _is_told_as(stage, order, CancellationState.WITHDRAWN)

    @needs(*DECIDE, deeds=REQUEST)
    def test_a_decision_that_is_made_already_is_fine(self, stage: Stage) -> None:
        """The first answer may be lost; the same decision comes again, from another process."""
        bench = stage.bench()
        for accept in (True, False):
            order, request = _requested(stage, bench)
            for each in (bench, bench, stage.bench()):
                done = stage.attempt(partial(_decide, each, request, accept=accept))
                demand(done is True, f"deciding {accept} once more gave {shown(done)}")
            demand(order.lives() is not accept, f"decided {accept} three times, order {order.ref} lives: {not accept}")

    @needs(RETURNS, "fetch_orders", deeds=["seed_return"])
    def test_a_return_tells_what_comes_back_of_which_order(self, stage: Stage) -> None:
        """By the order's own lines; nothing is booked in before it is received."""
        bench = stage.bench()
        ref, order_ref = stage.outside.seed_return()
        told = _return(stage.whole(bench, hook=RETURNS), ref)
        demand(told.order_ref == order_ref, f"return {ref} is of order {order_ref}, and says {told.order_ref}")
        order = read_order(stage, bench, order_ref)
        known = {line.ref for line in order.lines} if order is not None else set()
        lines = [line.line_ref for line in told.lines]
        demand(lines and set(lines) <= known, f"it tells the lines {lines}, the order has {sorted(known)}")
        demand(not told.received, "nothing was sent back yet, and it is told as received")

    @needs(RETURNS, deeds=["seed_return", "send_back"])
    def test_a_return_that_goes_on_after_a_pull_is_told(self, stage: Stage) -> None:
        """The hub waits for the goods; the step that says they come must not be missed."""
        bench = stage.bench()
        ref, _ = stage.outside.seed_return()
        pulled = stage.whole(bench, hook=RETURNS)
        before = _return(pulled, ref)
        stage.outside.pass_time(30)
        stage.outside.send_back(ref)
        after = _return(stage.whole(bench, pulled.cursor(), RETURNS), ref)
        demand(after.status != before.status, f"return {ref} went on, and is told as {after.status} as before")
        demand(after.updated_at > before.updated_at, f"return {ref} went on, its updated_at did not")

    @needs("push_return", "list_locations", *ERP_HOOKS, deeds=["ship", "returns"])
    def test_a_return_books_exactly_its_rows(self, stage: Stage) -> None:
        """What came back counts again, and no more than that."""
        order, given = _coming_back(stage)
        ref = order.bench.hooks.push_return(sales_return=given)
        _booked(stage, given, "a push of a return")
        refs = [one.ref for one in stage.outside.returns(order.ref)]
        demand(refs == [ref], f"the push says {ref}, the other side calls it {refs}")

    @needs("push_return", "list_locations", *ERP_HOOKS, deeds=["ship", "returns"])
    def test_a_return_that_is_there_is_not_booked_again(self, stage: Stage) -> None:
        """It is looked up by its key first; stock that came back once must not count twice."""
        order, given = _coming_back(stage)
        refs = {bench.hooks.push_return(sales_return=given) for bench in (order.bench, order.bench, stage.bench())}
        demand(len(refs) == 1, f"one return, pushed three times, is called {sorted(refs)}")
        _booked(stage, given, "three pushes of a return")

    @needs("push_return", "list_locations", *ERP_HOOKS, deeds=["ship", "returns"])
    def test_a_return_whose_answer_was_lost_is_not_booked_twice(self, stage: Stage) -> None:
        """Whichever call it was: the error says that it may have happened, and the next try completes it."""
        warm, given = _coming_back(stage)
        calls = stage.calls_of(lambda: warm.bench.hooks.push_return(sales_return=given))
        demand(calls, "a push of a return made no call")
        unsure = 0
        for kind in LOST:
            for first in range(1, min(calls, MOST_CALLS + 2) + 1):
                order, given = _coming_back(stage)
                stage.channel.fail(kind, first=first, times=1)
                result = stage.attempt(partial(order.bench.hooks.push_return, sales_return=given))
                stage.channel.heal()
                stage.channel.wait_quiet()
                where, stood = f"a push with {kind} at call {first}", stage.outside.returns(order.ref)
                may = isinstance(result, TransientError) and result.may_have_happened
                unsure += may
                if isinstance(result, Exception):
                    demand(isinstance(result, TransientError), f"{where} gave {shown(result)}")
                    demand(may or not stood, f"{where}: a return stands there, the error says that it cannot")
                stage.bench().hooks.push_return(sales_return=given)
                _booked(stage, given, f"{where}, and once more without")
        demand(unsure, "no lost answer was told as TransientError(may_have_happened=True)")


def _requested(stage: Stage, bench: Bench) -> tuple[Shippable, Cancellation]:
    order = shippable(stage, bench)
    stage.outside.request_cancel(order.ref)
    return order, _of(stage.whole(bench, hook=CANCELLATIONS), order.ref)


def _of(pulled: Pulled, order_ref: str) -> Cancellation:
    found = [one for one in pulled.latest().values() if one.order_ref == order_ref]
    demand(len(found) == 1, f"one cancellation of order {order_ref} was asked for, {len(found)} are told")
    if not isinstance(found[0], Cancellation):
        raise AssertionError(f"pull_cancellations gave what is no Cancellation: {shown(found[0])}")
    return found[0]


def _decide(bench: Bench, request: Cancellation, *, accept: bool) -> object:
    return bench.hooks.decide_cancellation(cancellation=request, accept=accept, reason=None)


def _is_told_as(stage: Stage, order: Shippable, state: CancellationState) -> None:
    stage.outside.pass_time(5)
    told = _of(stage.whole(stage.bench(), hook=CANCELLATIONS), order.ref)
    demand(told.state is state, f"the decided request is told as {told.state}, not {state}")


def _return(pulled: Pulled, ref: str) -> Return:
    found = pulled.latest().get(ref)
    demand(found is not None, f"return {ref} is not among the {len(pulled.items)} that were pulled")
    if not isinstance(found, Return):
        raise AssertionError(f"pull_returns gave what is no Return: {shown(found)}")
    return found


def _coming_back(stage: Stage) -> tuple[Shippable, SalesReturn]:
    """Return an order of which both rows have left, and a return of one unit of each."""
    order = shippable(stage, stage.bench(), 1, 2)
    order.ship("KITOUT1", at=0)
    order.ship("KITOUT2", at=1, units=2)
    places = [place for place in order.bench.hooks.list_locations() if place.kind is not LocationKind.CHANNEL]
    demand(places, "there is no place where goods could come back")
    rows = dict.fromkeys(order.lines, Decimal(1))
    given = SalesReturn(key=f"kit-return-{order.ref}", order_ref=order.ref, location_ref=places[0].ref, rows=rows)
    return order, given


def _booked(stage: Stage, given: SalesReturn, after: str) -> None:
    there = [dict(one.rows) for one in stage.outside.returns(given.order_ref)]
    demand(there == [given.rows], f"after {after} there is {there}, not one return of {given.rows}")
