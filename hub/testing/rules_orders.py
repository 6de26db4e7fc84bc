"""Rules about orders that are there: what is known of them, how they are changed, and how they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from hub.contract import RejectedError, SalesOrder
from hub.testing._placed import ERP_HOOKS, Shippable, shippable
from hub.testing._pushes import is_whole
from hub.testing.stage import Stage, demand, needs, shown


class OrderRules:
    """Rules about what find_orders tells of a sales order, update_order and cancel_order."""

    @needs(*ERP_HOOKS)
    def test_a_found_order_tells_its_rows(self, stage: Stage) -> None:
        """Shipments are told by row; an order whose rows are not known cannot be followed."""
        bench = stage.bench()
        order = stage.order(stage.variants(bench, 3))
        placed = bench.hooks.push_order(order=order, existing=None)
        (found,) = stage.find(bench, [order])
        made = placed.rows or order.rows  # whether the push itself lost a row is another rule's matter
        wanted = sorted((row.variant_ref, row.quantity) for row in made)
        got = sorted((row.variant_ref, row.quantity) for row in found.rows)
        demand(got == wanted, f"pushed {wanted}, find_orders tells {got}")
        refs = sorted(row.ref for row in found.rows)
        demand(len(set(refs)) == len(refs), f"two rows share a ref: {refs}")
        pushed = sorted(row.ref for row in placed.rows)
        demand(pushed in ([], refs), f"the push calls its rows {pushed}, find_orders {refs}")

    @needs(*ERP_HOOKS, deeds=["ship"])
    def test_an_order_is_untouched_until_something_of_it_ships(self, stage: Stage) -> None:
        """A touched one can neither be changed nor deleted; the hub then asks a person instead."""
        bench = stage.bench()
        order, other = shippable(stage, bench), shippable(stage, bench)
        demand(order.found().untouched, "nothing of the order has left, and it is told as touched")
        order.ship()
        demand(not order.found().untouched, "a part of the order has left, and it is told as untouched")
        demand(other.found().untouched, "another order has left, and this one is told as touched")

    @needs("update_order", *ERP_HOOKS)
    def test_an_updated_order_has_exactly_the_rows_asked_for(self, stage: Stage) -> None:
        """One more of this, none of that, something new: as the buyer changed it, and no second order."""
        order, wish = _changed(stage)
        before = {one.ref for one in stage.outside.sales_orders()}
        assert order.placed is not None  # noqa: S101  # an ERP's
        result = order.bench.hooks.update_order(order=wish, existing=order.placed)
        stood = {one.ref: one for one in stage.outside.sales_orders()}
        demand(set(stood) == before, f"there were {len(before)} sales orders, now there are {len(stood)}")
        is_whole(stood[order.ref], wish)
        demand(result.ref == order.ref, f"the update of {order.ref} says it was {result.ref}")
        _is_so({row.variant_ref: row.quantity for row in order.found().rows}, wish)
        if result.rows:
            _is_so({row.variant_ref: row.quantity for row in result.rows}, wish)

    @needs("update_order", *ERP_HOOKS)
    def test_an_update_that_changes_nothing_writes_nothing(self, stage: Stage) -> None:
        """It compares first: the same update comes again after every lost answer."""
        order, wish = _changed(stage)
        assert order.placed is not None  # noqa: S101  # an ERP's
        plain = order.pushed
        for wanted, writes in ((plain, False), (wish, True), (wish, False)):
            guard = order.bench.guard
            before = guard.writes
            order.bench.hooks.update_order(order=wanted, existing=order.found())
            wrote = guard.writes - before
            demand(bool(wrote) == writes, f"an update with {'a' if writes else 'no'} difference made {wrote} writes")

    @needs("update_order", *ERP_HOOKS, deeds=["ship"])
    def test_an_order_of_which_parts_have_left_is_not_updated(self, stage: Stage) -> None:
        """RejectedError ``order-packed``; a person settles what remains."""
        order, wish = _changed(stage)
        order.ship()
        before = _standing(stage)
        result = stage.attempt(lambda: order.bench.hooks.update_order(order=wish, existing=order.found()))
        _is_packed(result, "an update")
        demand(_standing(stage) == before, "the update was refused, and changed the order all the same")

    @needs("cancel_order")
    def test_a_cancelled_order_is_gone(self, stage: Stage) -> None:
        """It holds no stock any more; other orders live on."""
        order, other = _two(stage)
        done = _cancel(stage, order)
        demand(done is True, f"cancel_order gave {shown(done)}; true says that it is so")
        demand(not order.lives(), f"order {order.ref} was cancelled, and lives")
        demand(other.lives(), f"order {order.ref} was cancelled, and {other.ref} is gone")

    @needs("cancel_order")
    def test_an_order_cancelled_again_is_fine(self, stage: Stage) -> None:
        """Somebody else was first, or the first answer was lost."""
        order, _ = _two(stage)
        _cancel(stage, order)
        again = stage.attempt(lambda: _cancel(stage, order))
        demand(again is True, f"cancelled a second time, it gave {shown(again)}")
        demand(not order.lives(), f"order {order.ref} was cancelled twice, and lives")

    @needs("cancel_order", deeds=["ship"])
    def test_an_order_of_which_parts_have_left_is_not_cancelled(self, stage: Stage) -> None:
        """RejectedError ``order-packed``: goods on their way would belong to no order."""
        order, _ = _two(stage)
        order.ship()
        _is_packed(stage.attempt(lambda: _cancel(stage, order)), "a cancellation")
        demand(order.lives(), "the cancellation was refused, and the order is gone all the same")


def _changed(stage: Stage) -> tuple[Shippable, SalesOrder]:
    """Return an order of two rows, and how it shall be: one more of the first, the second gone, a third."""
    order = shippable(stage, stage.bench(), 2, 2)
    assert order.pushed is not None  # noqa: S101  # an ERP's
    (new,) = stage.variants(order.bench, 1)
    first = order.pushed.rows[0].model_copy(update={"quantity": Decimal(3)})
    added = stage.order([new]).rows[0]
    return order, order.pushed.model_copy(update={"rows": (first, added)})


def _two(stage: Stage) -> tuple[Shippable, Shippable]:
    bench = stage.bench()
    order, other = shippable(stage, bench), shippable(stage, bench)
    demand(order.lives() and other.lives(), "an open order does not seem to live, so nothing shows that one is gone")
    return order, other


def _cancel(stage: Stage, order: Shippable) -> object:
    return order.bench.hooks.cancel_order(order_ref=order.ref, reason=stage.stated.cancel_reason)


def _is_so(rows: Mapping[str, Decimal], wish: SalesOrder) -> None:
    wanted = {row.variant_ref: row.quantity for row in wish.rows}
    demand(rows == wanted, f"the rows are told as {dict(rows)}, not {wanted}")


def _is_packed(result: object, what: str) -> None:
    is_so = isinstance(result, RejectedError) and result.code == "order-packed"
    demand(is_so, f"{what} of an order of which parts have left gave {shown(result)}")


def _standing(stage: Stage) -> Sequence[object]:
    return sorted((one.ref, sorted(one.rows), one.shipping) for one in stage.outside.sales_orders())
