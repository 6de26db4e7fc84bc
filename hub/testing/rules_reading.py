"""Rules for channels: orders are pulled in pages, nothing is skipped, whatever happens to the pages."""

from __future__ import annotations

from typing import Any

from hub.contract import Order, Page, TransientError
from hub.routing.money import imbalances
from hub.testing.connection import Bench
from hub.testing.faults import RETRY_AFTER_S, Kind
from hub.testing.rules_account import READ_FAULTS, canonical
from hub.testing.stage import Pulled, Stage, demand, needs, shown

MOST_KEY = 64


class ReadingRules:
    """Rules about pull_orders and fetch_orders."""

    @needs("pull_orders")
    def test_pages_are_read_lazily(self, stage: Stage) -> None:
        """The hub stores each page before it asks for the next; a backlog must not sit in memory."""
        bench, _ = _seeded(stage)
        whole = stage.calls_of(lambda: _two_pages(stage.whole(bench)))
        pages = stage.iterate(bench, None)
        first = stage.calls_of(lambda: next(pages))
        demand(first < whole, f"the first page already took all {whole} calls")

    @needs("pull_orders")
    def test_the_last_page_carries_a_cursor(self, stage: Stage) -> None:
        """Without it, every pull would read everything again."""
        bench, _ = _seeded(stage)
        demand(stage.whole(bench).pages[-1].cursor is not None, "the last page's cursor is None")

    @needs("pull_orders")
    def test_the_same_cursor_gives_the_same_orders_again(self, stage: Stage) -> None:
        """The hub may have died before it stored them."""
        bench, _ = _seeded(stage)
        pulled = stage.whole(bench)
        first = next((page.cursor for page in pulled.pages if page.cursor is not None), None)
        for since in (None, first):
            once, again = stage.whole(bench, since).latest(), stage.whole(bench, since).latest()
            _nothing_missing(again, list(once), f"a second pull from cursor {since!r}")

    @needs("pull_orders")
    def test_a_change_between_two_pulls_is_seen(self, stage: Stage) -> None:
        """Also where it falls into the same second as the last change read."""
        bench, refs = _seeded(stage)
        for moved, touched in ((refs[0], refs[1]), (refs[2 % len(refs)], refs[0])):
            stage.outside.pass_time(2)
            stage.outside.touch(moved)
            before = stage.whole(bench)
            stage.outside.touch(touched)
            after = stage.whole(bench, before.cursor())
            _is_newer(after.latest().get(touched), before.latest()[touched], "a change right after a pull")

    @needs("pull_orders")
    def test_a_change_while_pages_are_read_is_seen(self, stage: Stage) -> None:
        """The changed order may move behind the reader, and push another one past it."""
        bench, refs = _seeded(stage)
        known = stage.whole(bench).latest()
        for position in (0, -1):
            pulled, pages = Pulled(), stage.iterate(bench, None)
            pulled.pages.append(next(pages))
            touched = pulled.items[position].ref
            stage.outside.pass_time(5)
            stage.outside.touch(touched)
            stage.outside.pass_time(5)
            pulled.pages += list(pages)
            after = stage.whole(bench, pulled.cursor())
            seen = pulled.latest() | after.latest()
            _nothing_missing(seen, refs, "a pull during which an order changed, and the next one")
            _is_newer(seen[touched], known[touched], "a change while pages are read")
            known = seen

    @needs("pull_orders")
    def test_any_cursor_is_safe_to_resume_from(self, stage: Stage) -> None:
        """The hub stores a page's cursor with the page, and may stop right after."""
        bench, refs = _seeded(stage)
        pages = _two_pages(stage.whole(bench))
        for stop in range(1, len(pages)):
            begun = Pulled(pages[:stop])
            rest = stage.whole(bench, begun.cursor())
            _nothing_missing(begun.latest() | rest.latest(), refs, f"a pull that stopped after page {stop}")

    @needs("pull_orders")
    def test_a_row_that_comes_again_is_harmless(self, stage: Stage) -> None:
        """Channels repeat rows at the border of pages."""
        _pulls_all_the_same(stage, Kind.REPEATED)

    @needs("pull_orders")
    def test_rows_out_of_order_are_harmless(self, stage: Stage) -> None:
        """Channels promise an order of rows, and break it."""
        _pulls_all_the_same(stage, Kind.REORDERED)

    @needs("pull_orders")
    def test_a_failing_page_raises_transient_error(self, stage: Stage) -> None:
        """Whichever call of a pull fails, in whatever way; a pull that just ends would pass for complete."""
        bench, refs = _seeded(stage)
        stage.whole(bench)
        calls = stage.calls_of(lambda: _two_pages(stage.whole(bench)))
        struck = 0
        for kind in READ_FAULTS:
            for first in range(1, min(calls, 4) + 1):
                stage.channel.fail(kind, first=first)
                pulled = stage.pull(bench)
                stage.channel.heal()
                where = f"{kind} from call {first} on"
                demand(
                    pulled.error is None or isinstance(pulled.error, TransientError), f"{where}: {shown(pulled.error)}"
                )
                if pulled.error is None:
                    _nothing_missing(pulled.latest(), refs, f"{where}: the pull ended as if complete, but it")
                struck += pulled.error is not None
        demand(struck, "no fault led to an error, so there is nothing to check")

    @needs("pull_orders")
    def test_a_page_that_fails_once_is_made_good_or_transient(self, stage: Stage) -> None:
        """A single fault is the everyday case: the hub's client asks again by itself, where the call is a read."""
        bench, refs = _seeded(stage)
        stage.whole(bench)
        for kind in READ_FAULTS:
            stage.channel.fail(kind, first=2, times=1)
            pulled = stage.pull(bench)
            stage.channel.heal()
            demand(
                pulled.error is None or isinstance(pulled.error, TransientError), f"{kind} once: {shown(pulled.error)}"
            )
            if pulled.error is None:
                _nothing_missing(pulled.latest(), refs, f"a pull with one {kind}")

    @needs("pull_orders")
    def test_the_wait_that_a_429_asks_for_is_handed_on(self, stage: Stage) -> None:
        """TransientError(retry_after_s=...): the hub then comes back when told, not sooner."""
        bench, _ = _seeded(stage)
        stage.channel.fail(Kind.PACE)
        error = stage.pull(bench).error
        demand(isinstance(error, TransientError), f"429 on every call gave {shown(error)}")
        told = getattr(error, "retry_after_s", None)
        demand(told == RETRY_AFTER_S, f"Retry-After said {RETRY_AFTER_S} s, the error says {told}")

    @needs("pull_orders")
    def test_every_order_is_a_valid_value(self, stage: Stage) -> None:
        """As the model would check it: instants aware and in UTC, currency codes, quantities above zero."""
        for order in _orders(stage):
            Order.model_validate_json(order.model_dump_json(warnings=False))

    @needs("pull_orders")
    def test_money_of_every_order_balances(self, stage: Stage) -> None:
        """To the last minor unit, by every named term; the hub blocks an order that does not."""
        for order in _orders(stage):
            wrong = imbalances(order)
            demand(not wrong, f"order {order.ref}: {'; '.join(problem.what for problem in wrong)}")

    @needs("pull_orders")
    def test_order_keys_are_unique_short_and_stable(self, stage: Stage) -> None:
        """A key becomes the sales order's number; a second key for one order would become a second sales order."""
        bench, refs = _seeded(stage)
        before = stage.whole(bench).latest()
        keys = [order.key for order in before.values()]
        demand(len(set(keys)) == len(keys), "two orders share a key")
        long = [key for key in keys if not 0 < len(key) <= MOST_KEY]
        demand(not long, f"keys longer than {MOST_KEY} characters: {long[:1]}")
        stage.outside.pass_time(5)
        for ref in refs[:3]:
            stage.outside.touch(ref)
        for ref, order in stage.whole(stage.bench()).latest().items():
            demand(
                order.key == before[ref].key, f"order {ref} was {before[ref].key}, and is {order.key} after a change"
            )

    @needs("pull_orders")
    def test_line_refs_are_unique_in_their_order(self, stage: Stage) -> None:
        """Shipments are told by line; two lines of one ref cannot be told apart."""
        for order in _orders(stage):
            refs = [line.ref for line in order.lines]
            demand(refs, f"order {order.ref} has no lines")
            demand(len(set(refs)) == len(refs), f"order {order.ref} has two lines of one ref: {refs}")

    @needs("pull_orders")
    def test_a_pull_takes_no_more_calls_than_stated(self, stage: Stage) -> None:
        """Calls are the scarcest thing on most channels; no detail call per order."""
        most = stage.stated.pull_calls
        demand(most is not None, f"state pull_calls: how many calls a pull of {stage.stated.order_count} orders takes")
        bench, _ = _seeded(stage)
        stage.whole(bench)
        took = stage.calls_of(lambda: stage.whole(bench))
        demand(0 < took <= (most or 0), f"a pull of {stage.stated.order_count} orders took {took} calls, not {most}")

    @needs("pull_orders", "fetch_orders")
    def test_fetch_returns_the_orders_asked_for_and_no_other(self, stage: Stage) -> None:
        """Before an order leaves, it is read again."""
        bench, _ = _seeded(stage)
        known = list(stage.whole(bench).latest().values())
        for asked in (known[:1], known[1:3], known):
            got = sorted(order.ref for order in stage.fetch(bench, asked))
            wanted = sorted(order.ref for order in asked)
            demand(got == wanted, f"asked for {wanted[:5]}, got {got[:5]} ({len(wanted)} and {len(got)})")

    @needs("pull_orders", "fetch_orders")
    def test_fetch_leaves_out_what_the_channel_does_not_know(self, stage: Stage) -> None:
        """One unknown order must not keep the others from being read."""
        bench, refs = _seeded(stage)
        known = stage.whole(bench).latest()[refs[0]]
        stranger = known.model_copy(update={"ref": stage.stated.unknown_order})
        demand(stranger.ref not in refs, "unknown_order is a seeded order's ref; state another")
        got = [order.ref for order in stage.fetch(bench, [known, stranger])]
        demand(got == [known.ref], f"asked for {known.ref} and the unknown {stranger.ref}, got {got}")
        got = [order.ref for order in stage.fetch(bench, [stranger])]
        demand(not got, f"asked for the unknown {stranger.ref} alone, got {got}")

    @needs("pull_orders", "fetch_orders")
    def test_fetch_reads_the_present_state(self, stage: Stage) -> None:
        """An order cancelled a second ago must not leave as it was."""
        bench, refs = _seeded(stage)
        known = stage.whole(bench).latest()[refs[0]]
        stage.fetch(bench, [known])
        stage.outside.pass_time(5)
        stage.outside.touch(known.ref)
        fetched = {order.ref: order for order in stage.fetch(bench, [known])}
        _is_newer(fetched.get(known.ref), known, "a change before a re-read")

    @needs("pull_orders", "fetch_orders")
    def test_pull_and_fetch_tell_the_same_of_an_order(self, stage: Stage) -> None:
        """Else an order would seem to change with the way it was read."""
        bench, _ = _seeded(stage)
        pulled = list(stage.whole(bench).latest().values())[:2]
        demand(canonical(pulled) == canonical(stage.fetch(bench, pulled)), "the two readings differ")


def _seeded(stage: Stage) -> tuple[Bench, list[str]]:
    refs = stage.seed()
    stage.outside.pass_time(60)
    return stage.bench(), refs


def _orders(stage: Stage) -> list[Order]:
    bench, _ = _seeded(stage)
    orders = stage.whole(bench).items
    demand(orders, "no order was pulled, so there is nothing to check")
    return orders


def _two_pages(pulled: Pulled) -> list[Page[Any]]:
    full = [page for page in pulled.pages if page.items]
    demand(len(full) > 1, "all orders came on one page, so paging is not tested; state a larger order_count")
    return pulled.pages


def _nothing_missing(seen: dict[str, Order], refs: list[str], what: str) -> None:
    missing = sorted(set(refs) - set(seen))
    demand(not missing, f"{what} misses {len(missing)} of {len(refs)} orders: {', '.join(missing[:5])}")


def _is_newer(seen: Order | None, before: Order, what: str) -> None:
    demand(seen is not None, f"{what} was not seen: order {before.ref} did not come")
    newer = seen is not None and seen.updated_at > before.updated_at
    demand(newer, f"{what} was not seen: order {before.ref} came in its state of {before.updated_at}")


def _pulls_all_the_same(stage: Stage, kind: Kind) -> None:
    bench, refs = _seeded(stage)
    clean = stage.whole(bench).latest()
    stage.channel.fail(kind)
    pulled = stage.whole(bench)
    stage.channel.heal()
    demand(stage.channel.rows_changed, "no page held two rows, so nothing was changed; state a larger order_count")
    _nothing_missing(pulled.latest(), refs, "a pull of such pages")
    differing = [ref for ref in refs if pulled.latest()[ref] != clean[ref]]
    demand(not differing, f"order {differing[:1]} reads differently from such pages")
    rest = stage.whole(bench, pulled.cursor())
    _nothing_missing(pulled.latest() | rest.latest(), refs, "the pull after such pages")
