"""What a trickle costs the channel: 20 orders a minute whose holds end one by one, over ten minutes of the daemon."""

from __future__ import annotations

import threading

import pytest

from hub.daemon.embedded import run
from hub.engine.progress import Progress
from tests.flow.conftest import SiteMaker
from tests.site import HOUR, NOON
from tests.stepped import SteppedClock

MINUTES, PER_MINUTE = 10, 20
SEARCH, DETAIL = "POST /order/202309/orders/search", "GET /order/202507/orders"


@pytest.mark.parametrize(("on_hold", "re_reads"), [(True, 1), (False, 2)])
def test_trickle_costs_a_poll_and_at_most_one_re_read_for_each_half_minute(
    make_site: SiteMaker, on_hold: bool, re_reads: int
) -> None:
    """A minute: one poll, of two pages at most (the overlap of five minutes holds up to 120 changes), and one call by
    id for all orders that came due in a half minute. Where the end of the channel's hold is a change, the half minute
    that ends with the poll needs none: the poll told of it. So 3 or 4 calls for 20 orders, and none for one order.
    """
    site = make_site()
    for n in range(MINUTES * PER_MINUTE):
        made = {"create_time": NOON - HOUR + n * 60 // PER_MINUTE, "on_hold": on_hold}
        site.tiktok_sim("seed", {"orders": [{"lines": [{"sku": "MUG", "price": "20.00"}], **made}]})
    world, stop = site.open(), threading.Event()
    clock = SteppedClock(site, stop, end_s=60 * MINUTES + 30)
    world.clock = clock
    run(world, Progress(), stop)
    calls = site.calls("tiktok")
    assert site.fates() == {"placed": MINUTES * PER_MINUTE}
    assert len(clock.waits) <= 2 * MINUTES + 1
    assert calls[SEARCH] <= 2 * (MINUTES + 1)
    assert calls[DETAIL] <= re_reads * (MINUTES + 1)
