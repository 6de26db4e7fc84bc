"""Whatever is hinted, how often and in whatever order, the ledger and both systems end as without any hint (law 11)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.contract import Hint, HintKind
from hub.engine import wake
from tests.flow.conftest import SiteMaker
from tests.flow.hinting import waiting, work
from tests.flow.stock_site import in_erp, list_products, sells
from tests.site import HOUR, Site

ROUTE = """\
  - name: us
    channel: shop
    erp: factory
    orders: {start: 2026-03-01, hold: 5m, on_cancel: delete}
    fulfillments: {}
    inventory: {}
    returns: {enabled: false}
"""
DAY = 24 * HOUR
LINES = [{"sku": "MUG", "price": "20.00"}]
STEPS = 4
KNOWN = 4  # orders, and one ref of each is that of an order or of its sales order

Given = tuple[int, str, HintKind, int]  # at which step, Connection, kind, which record (from KNOWN on: none there is)


def play(site: Site, hinted: Sequence[Given]) -> dict[str, Any]:
    """Let the same things happen, with hints after each step; return how it all ends."""
    site.tiktok_sim("options", {"hold_s": 0})
    list_products(site, "MUG", stock=0)
    site.sync()
    refs = [site.order(lines=LINES) for _ in range(KNOWN)]
    happenings: list[Callable[[], Any]] = [
        lambda: None,
        lambda: site.act(refs[3], "cancel"),
        lambda: _ship(site, refs[0]),
        lambda: (in_erp(site, "MUG", change=-20), site.katana_sim("do/delete", {"order_no": f"TT-{refs[1]}"})),
    ]
    for step, happens in enumerate(happenings):
        happens()
        world = site.open()
        for connection in ("shop", "factory"):
            mine = [(kind, which) for at, id_, kind, which in hinted if (at, id_) == (step, connection)]
            known = _refs(site, refs, connection)
            wake.note(world, connection, [Hint(kind=kind, ref=known[which]) for kind, which in mine])
        work(site, "shop", "factory")
        site.advance(400)
        site.sync()
    for wait in (HOUR, DAY, HOUR + 60):
        site.advance(wait)
        site.sync()
    return _state(site, refs)


def _refs(site: Site, refs: Sequence[str], connection: str) -> list[str | None]:
    """Return what may be named: the record of each order, one that is not there, and nothing."""
    if connection == "factory":
        ids = {row["order_no"]: str(row["id"]) for row in site.sales_orders(deleted=True)}
        refs = [ids.get(f"TT-{ref}", "1") for ref in refs]
    return [*refs, "999999999999999999", None]


def _ship(site: Site, ref: str) -> None:
    number = {"tracking_carrier": "UPS", "tracking_number": "1Z999AA10123456784"}
    site.katana_sim("do/ship", {"order_no": f"TT-{ref}", **number})


def _state(site: Site, refs: Sequence[str]) -> dict[str, Any]:
    channel = {order["id"]: order["status"] for order in site.tiktok_sim("state", method="GET")["orders"]}
    erp = [(row["order_no"], row["status"], bool(row.get("deleted_at"))) for row in site.sales_orders(deleted=True)]
    numbers = {f"TT-{ref}": at for at, ref in enumerate(refs)}
    return {
        "fates": [site.fate(ref) for ref in refs],
        "channel": [channel[ref] for ref in refs],
        "erp": sorted((numbers[number], status, deleted) for number, status, deleted in erp),
        "sells": sells(site, "MUG"),
    }


@cache
def without() -> dict[str, Any]:
    """Return how it ends where nobody hints at anything."""
    with _site() as site:
        return play(site, ())


@contextmanager
def _site() -> Iterator[Site]:
    """Open a site of its own for each example."""
    with TemporaryDirectory() as folder:
        made = Site(Path(folder), f"{folder}/hub.db", routes=ROUTE)
        yield made
        made.close()


hints = st.lists(
    st.tuples(
        st.integers(0, STEPS - 1),
        st.sampled_from(["shop", "factory"]),
        st.sampled_from(sorted(HintKind)),
        st.integers(0, KNOWN + 1),
    ),
    max_size=25,
)


@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(hints)
def test_any_hints_lead_to_the_same_ledger_as_none(hinted: list[Given]) -> None:
    with _site() as site:
        assert play(site, hinted) == without()
        assert waiting(site) == []


def test_every_kind_hinted_at_every_step_leads_there_too() -> None:
    every = [(step, id_, kind, which) for step in range(STEPS) for id_ in ("shop", "factory") for kind in HintKind
             for which in (0, 1, 3, KNOWN, KNOWN + 1)]  # fmt: skip
    with _site() as site:
        assert play(site, every) == without()
    assert without()["fates"][0] != without()["fates"][3]  # something happened at all


def test_edits_that_no_news_tells_of_heal_within_a_day(make_site: SiteMaker) -> None:
    """All webhooks lost; and the channel changes an order without a new time, which no poll sees."""
    site = make_site(routes=ROUTE)
    site.tiktok_sim("options", {"hold_s": 0, "webhooks": "off"})
    ref = site.order(lines=LINES)
    site.sync()
    site.advance(HOUR)
    site.sync()
    before = site.row(ref).digest
    site.act(ref, "set", fields={"buyer_message": "ring twice"})
    site.advance(600)
    site.sync()
    assert site.row(ref).digest == before
    site.advance(DAY)
    site.sync()
    assert site.row(ref).digest != before
