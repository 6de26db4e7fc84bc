"""Each rule of the kit sees the fault it is for, and only connectors with that fault."""

from __future__ import annotations

import pytest

from hub.testing import RULES, ConnectorContract
from hub.testing.stage import Stage, implemented, skip_unless
from tests.contract import (
    broken_channels,
    broken_consent,
    broken_depot,
    broken_desk,
    broken_erps,
    broken_listing,
    broken_office,
    broken_stock,
    broken_webhooks,
)
from tests.contract.broken import BROKEN, Broken
from tests.contract.tiny import TinyErp, TinyQuickErp, TinyShop
from tests.contract.tiny_bell import TinyBell
from tests.contract.tiny_consent import TinyConsent
from tests.contract.tiny_depot import TinyDepot
from tests.contract.tiny_desk import TinyDesk
from tests.contract.tiny_office import TinyOffice
from tests.contract.tiny_stock import TinyStock
from tests.contract.tiny_store import TinySeller
from tests.contract.tiny_system import TinySystem

PARTS = (
    broken_channels, broken_consent, broken_depot, broken_desk, broken_erps, broken_listing, broken_office,
    broken_stock, broken_webhooks,
)  # fmt: skip
assert all(PARTS)  # importing them registers their connectors


def verdicts(connector: type) -> dict[str, str]:
    """Run every rule on a connector; return what each failing one says."""

    class Contract(ConnectorContract):
        connector_class = connector
        order_count, pull_calls = 3, 2

    failed = {}
    for rule in RULES:
        try:
            skip_unless(implemented(connector), getattr(Contract, rule))
        except pytest.skip.Exception:
            continue
        with Stage(Contract(), getattr(connector, "system", TinySystem)()) as stage:
            try:
                getattr(Contract(), rule)(stage)
            except pytest.skip.Exception:
                continue
            except Exception as error:
                failed[rule] = f"{type(error).__name__}: {error}"
    return failed


@pytest.mark.parametrize(
    "connector",
    [
        TinyShop, TinyErp, TinyQuickErp, TinyStock, TinyOffice, TinyDepot, TinyDesk, TinySeller, TinyConsent, TinyBell,
    ],
)  # fmt: skip
def test_a_good_connector_passes_every_rule(connector: type) -> None:
    assert verdicts(connector) == {}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.connector.__name__)
def test_a_broken_connector_fails_exactly_its_rules(broken: Broken) -> None:
    failed = verdicts(broken.connector)
    assert set(failed) == broken.rules, failed


def test_every_rule_has_a_connector_that_fails_nothing_else() -> None:
    seen = {rule for broken in BROKEN if len(broken.rules) == 1 for rule in broken.rules}
    assert set(RULES) == seen


def test_every_rule_is_a_sentence_with_a_reason() -> None:
    for rule in RULES:
        assert rule.count("_") >= 4, rule
        assert (getattr(ConnectorContract, rule).__doc__ or "").strip(), rule
