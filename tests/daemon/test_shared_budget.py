"""One request budget for the daemon and for commands beside it: real processes against a strict ERP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.conftest import Start, until
from tests.site import HOUR, NOON, Site

LIMIT, WINDOW_S = 60, 61
LINES = [{"sku": "MUG", "price": "20.00"}]


@pytest.fixture
def strict_site(tmp_path: Path, database: str) -> Iterator[Site]:
    """A site whose ERP refuses the 61st call in any minute. Time stands still unless moved."""
    folder = tmp_path / "site"
    folder.mkdir()
    made = Site(folder, database)
    made.katana_sim("options", {"rate_limit": str(LIMIT), "rate_window": "sliding"})
    file = folder / "routes.yaml"
    text = file.read_text().replace("requests_per_minute: 6000", f"requests_per_minute: {LIMIT}")
    file.write_text(text.replace("send_window: 3s", "send_window: 120s"))
    made.open()  # the tables are there before several processes come
    yield made
    made.close()


def command(site: Site, *arguments: str) -> subprocess.Popen[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HUB_")}
    words = [sys.executable, "-m", "hub", "--database", site.database, *arguments, "--json"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(words, cwd=site.folder, env=clean | site.environ(), text=True, **pipes)


def refused(site: Site) -> list[str]:
    calls = site.katana_sim("journal", method="GET")["calls"]
    return [f"{call['method']} {call['path']}" for call in calls if call["status"] == 429]


def test_commands_beside_the_daemon_never_exceed_the_limit(strict_site: Site, start: Start) -> None:
    """130 orders wait, and a proof and a check ask the ERP at the same time: not one call too many in any minute."""
    site = strict_site
    refs = site.orders_made(count=130, lines=LINES, create_time=NOON)
    worker = start(site)

    def all_held() -> bool:
        site.advance(1)  # a daemon that waits, as after a slow answer, does so by this clock
        return site.fates() == {"held": len(refs)}

    until(all_held)
    site.advance(HOUR + 90)
    beside = [command(site, "reconcile"), command(site, "check", "--online")]
    end = time.monotonic() + 90
    while len(site.sales_orders()) < len(refs) or any(each.poll() is None for each in beside):
        assert time.monotonic() < end, worker.file.read_text()
        full = site.total_calls("katana")
        time.sleep(0.4)
        if site.total_calls("katana") == full:  # nobody may call any more in this minute
            site.advance(WINDOW_S)
    told = [json.loads(each.communicate()[0]) for each in beside]
    assert told[0]["whole"] is True
    assert [each.returncode for each in beside] == [0, 0]
    assert worker.stop() == 0
    assert refused(site) == []
    assert site.total_calls("katana") > 2 * LIMIT, "the limit was reached more than once"
