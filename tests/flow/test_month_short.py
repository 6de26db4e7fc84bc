"""The simulated month of the benchmarks in short: two shops, one factory, calls that fail, a hub that dies."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.month import month, seldom_idle
from bench.people import DAY
from tests.site import HOUR


@pytest.mark.slow
def test_every_law_holds_after_hours_of_everything(tmp_path: Path) -> None:
    """Fates, sales orders, units, parcels, and stock against the truth; what was broken is named."""
    with seldom_idle():
        came = month(tmp_path, days=0.3, count=80, skus=6, tail_s=0.36 * DAY, calm_s=3.5 * HOUR, haste=0.06)
    assert came.broken == []
    figures = came.figures
    assert figures["month.orders"] == figures["month.fates"] > 60
    assert figures["month.sold_out"] > 20, "nothing was ever scarce: the check of stock would prove little"
    assert figures["month.starts"] > 1
    assert came.fates["fulfilled"] > 40
    for deed in ("by channel", "edit", "buyer_cancel", "shipment", "scrapped"):
        assert came.deeds[deed], deed
