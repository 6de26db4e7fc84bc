"""The pulls besides orders, each with something there to be read."""

from __future__ import annotations

from hub.testing._placed import ERP_HOOKS, shippable
from hub.testing.connection import Bench
from hub.testing.deeds import is_given
from hub.testing.stage import Stage

NEEDS = {
    "pull_products": (("find_variants",), ()),
    "pull_fulfillments": (ERP_HOOKS, ("ship",)),
    "pull_cancellations": (("fetch_orders",), ("seed_open_order", "request_cancel")),
    "pull_returns": ((), ("seed_return",)),
}
"""By hook: the other hooks and the deeds without which nothing can be put there."""


def feeds(stage: Stage, bench: Bench) -> list[str]:
    """Put something into each pull that the connector has and the author can fill; return their hooks."""
    filled = [hook for hook in NEEDS if hook in stage.hooks and _can_fill(stage, hook)]
    for hook in filled:
        _fill(stage, bench, hook)
    stage.outside.pass_time(5)
    return filled


def _can_fill(stage: Stage, hook: str) -> bool:
    hooks, deeds = NEEDS[hook]
    return set(hooks) <= stage.hooks and all(is_given(stage.outside, deed) for deed in deeds)


def _fill(stage: Stage, bench: Bench, hook: str) -> None:
    if hook == "pull_products":
        stage.variants(bench)
    elif hook == "pull_fulfillments":
        shippable(stage, bench).ship()
    elif hook == "pull_cancellations":
        stage.outside.request_cancel(stage.outside.seed_open_order())
    else:
        stage.outside.seed_return()
