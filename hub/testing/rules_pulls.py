"""Rules for every pull besides that of orders, whatever it reads; and for the catalogue."""

from __future__ import annotations

from functools import partial

import pytest

from hub.contract import TransientError, Variant
from hub.testing._feeds import NEEDS, feeds
from hub.testing.connection import Bench
from hub.testing.rules_account import READ_FAULTS, canonical
from hub.testing.stage import Pulled, Stage, demand, needs, shown

MOST_CALLS = 3


class PullRules:
    """Rules about pull_products, and what it has in common with pulls of fulfillments, cancellations and returns."""

    def test_the_last_page_of_every_pull_carries_a_cursor(self, stage: Stage) -> None:
        """Without it, each poll would read everything again."""
        bench, hooks = _filled(stage)
        for hook in hooks:
            pages = stage.whole(bench, hook=hook).pages
            demand(pages and any(page.items for page in pages), f"{hook} gave nothing, so there is nothing to check")
            demand(pages[-1].cursor is not None, f"the last page of {hook} has no cursor")

    def test_every_pull_gives_the_same_again_for_the_same_cursor(self, stage: Stage) -> None:
        """The hub may have died before it stored what came."""
        bench, hooks = _filled(stage)
        for hook in hooks:
            before = stage.whole(bench, hook=hook)
            _filled(stage, bench)
            for since in (None, before.cursor()):
                once, again = (stage.whole(bench, since, hook).latest() for _ in range(2))
                missing = sorted(set(once) - set(again))
                demand(once, f"{hook} does not tell what came after its cursor")
                demand(not missing, f"{hook}, asked again from {since!r}, leaves out {missing[:3]}")

    def test_every_pull_of_which_a_call_fails_raises_transient_error(self, stage: Stage) -> None:
        """A pull that just ends would pass for complete, and its cursor would be stored."""
        bench, hooks = _filled(stage)
        struck = 0
        for hook in hooks:
            stage.whole(bench, hook=hook)
            clean = _values(stage.whole(bench, hook=hook))
            calls = stage.calls_of(partial(stage.whole, bench, hook=hook))
            for kind in READ_FAULTS:
                for first in range(1, min(calls, MOST_CALLS) + 1):
                    stage.channel.fail(kind, first=first)
                    pulled = stage.pull(bench, hook=hook)
                    stage.channel.heal()
                    struck += pulled.error is not None
                    is_told = isinstance(pulled.error, TransientError)
                    fine = is_told or (pulled.error is None and _values(pulled) == clean)
                    demand(fine, f"{hook}, {kind} from call {first} on: {shown(pulled.error or pulled.items)}")
        demand(struck, "no fault led to an error, so there is nothing to check")

    @needs("pull_products", "find_variants")
    def test_a_pull_of_the_whole_catalogue_finds_every_variant(self, stage: Stage) -> None:
        """As find_variants tells it; orders and stock are matched by what is kept of it."""
        bench = stage.bench()
        variants = stage.variants(bench, stage.stated.variant_count)
        told = stage.whole(bench, hook="pull_products").latest()
        missing = sorted({variant.ref for variant in variants} - set(told))
        demand(not missing, f"{len(missing)} of {len(variants)} variants are missing: {missing[:3]}")
        strange = [one for one in told.values() if not isinstance(one, Variant)]
        demand(not strange, f"pull_products gave what is no Variant: {shown(strange[:1])}")
        differing = [one.ref for one in variants if _identity(told[one.ref]) != _identity(one)]
        demand(not differing, f"variant {differing[:1]} is told otherwise than by find_variants")

    @needs("pull_products", "find_variants", deeds=["change_variant"])
    def test_a_variant_changed_after_a_pull_is_in_the_next_one(self, stage: Stage) -> None:
        """Each of several, whichever is changed, and also in the same second."""
        bench = stage.bench()
        variants = stage.variants(bench, 3)
        cursor = stage.whole(bench, hook="pull_products").cursor()
        stage.outside.pass_time(2)
        for variant in (variants[2], variants[0]):
            stage.outside.change_variant(variant.sku or "")
            pulled = stage.whole(bench, cursor, "pull_products")
            demand(variant.ref in pulled.latest(), f"variant {variant.ref} changed after a pull, and is not told")
            cursor = pulled.cursor(cursor)


def _filled(stage: Stage, bench: Bench | None = None) -> tuple[Bench, list[str]]:
    bench = bench or stage.bench()
    hooks = feeds(stage, bench)
    if not hooks:
        pytest.skip(f"none of {', '.join(NEEDS)} is implemented and given what it reads")
    return bench, hooks


def _identity(variant: Variant) -> tuple[object, ...]:
    return variant.sku, variant.product_ref, variant.gone


def _values(pulled: Pulled) -> object:
    return canonical(list(pulled.latest().values()))
