"""Several `hub run` on one PostgreSQL: each lane on one of them at a time, whatever happens to a worker."""

from __future__ import annotations

import signal
import time
from collections import Counter

import psycopg

from hub.daemon.distributed import SCHEMA
from tests.daemon.conftest import Start, short_lease, until
from tests.site import NOON, Site

ONE = {"lines": [{"sku": "MUG", "price": "20.00"}], "create_time": NOON - 60}


def numbers(site: Site) -> Counter[str]:
    return Counter(row["order_no"] for row in site.sales_orders() if not row.get("deleted_at"))


def test_three_workers_share_the_lanes_and_place_each_order_once(pg_site: Site, start: Start) -> None:
    refs = pg_site.orders_made(count=30, **ONE)
    pg_site.advance(2 * 3600)
    workers = [start(pg_site) for _ in range(3)]
    until(lambda: len(numbers(pg_site)) == len(refs))
    for worker in workers:
        assert worker.stop() == 0, worker.file.read_text()
    assert set(numbers(pg_site).values()) == {1}
    assert pg_site.fates() == {"placed": len(refs)}


def test_at_most_one_visit_of_a_connection_waits_and_none_is_left_behind(pg_site: Site, start: Start) -> None:
    workers = [start(pg_site) for _ in range(3)]
    until(lambda: all(worker.events("hub-started") for worker in workers))
    end = time.monotonic() + 4
    with psycopg.connect(pg_site.database, autocommit=True) as connection:
        until(lambda: connection.execute(f"SELECT to_regclass('{SCHEMA}.procrastinate_jobs')").fetchone() != (None,))
        while time.monotonic() < end:
            query = f"SELECT lock, status, count(*) FROM {SCHEMA}.procrastinate_jobs GROUP BY lock, status"
            for _, _, count in connection.execute(query).fetchall():
                assert count == 1
            time.sleep(0.02)
    assert [worker.stop() for worker in workers] == [0, 0, 0]


def test_lanes_of_a_killed_worker_go_on_elsewhere(pg_site: Site, start: Start) -> None:
    short_lease(pg_site)
    pg_site.katana_sim("options", {"latency_ms": 200})
    refs = pg_site.orders_made(count=40, **ONE)
    pg_site.advance(2 * 3600)
    first = start(pg_site)
    until(lambda: len(numbers(pg_site)) > 3)
    second = start(pg_site)
    first.signal(signal.SIGKILL)
    pg_site.katana_sim("options", {"latency_ms": 0})
    until(lambda: len(numbers(pg_site)) == len(refs) and pg_site.fates() == {"placed": len(refs)})
    assert set(numbers(pg_site).values()) == {1}
    assert second.stop() == 0


def test_worker_that_was_paused_past_its_lease_writes_nothing_more(pg_site: Site, start: Start) -> None:
    """It wakes up in the middle of its visit, finds the lane taken, and leaves it; no order is doubled."""
    short_lease(pg_site)
    pg_site.katana_sim("options", {"latency_ms": 200})
    refs = pg_site.orders_made(count=40, **ONE)
    pg_site.advance(2 * 3600)
    paused = start(pg_site)
    until(lambda: len(numbers(pg_site)) > 3)
    paused.signal(signal.SIGSTOP)
    other = start(pg_site)
    until(lambda: len(numbers(pg_site)) == len(refs))
    paused.signal(signal.SIGCONT)
    until(lambda: bool(paused.events("lane-lost")))
    until(lambda: pg_site.fates() == {"placed": len(refs)})
    assert set(numbers(pg_site).values()) == {1}
    assert [paused.stop(), other.stop()] == [0, 0]
    assert (
        "Traceback" not in paused.file.read_text()
    )  # its jobs were taken up by the other; that is no fault of anybody's


def test_worker_stops_within_its_grace_in_the_middle_of_work(pg_site: Site, start: Start) -> None:
    pg_site.katana_sim("options", {"latency_ms": 500})
    pg_site.orders_made(count=60, **ONE)
    pg_site.advance(2 * 3600)
    worker = start(pg_site)
    until(lambda: len(numbers(pg_site)) > 3)
    began = time.monotonic()
    assert worker.stop() == 0
    assert time.monotonic() - began < 10
