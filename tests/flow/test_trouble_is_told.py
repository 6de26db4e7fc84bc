"""Bad credentials, missing scopes, a wrong clock: each a clear message, nothing lost."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from hub.contract import HubError
from tests.flow.conftest import SiteMaker
from tests.site import HOUR, NOON, ROUTE, Site


def _error(site: Site, connection: str) -> HubError:
    progress = site.sync()
    assert connection in progress.errors, progress
    return progress.errors[connection]


def _goes_on(site: Site, ref: str) -> None:
    """What waited goes on once the trouble is over."""
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)


def test_expired_access_token_is_refreshed_by_itself(site: Site) -> None:
    ref = site.order()
    site.sync()
    site.tiktok_sim("authorisation", {"action": "expire_access"})
    _goes_on(site, ref)


def test_refresh_tokens_that_die_with_use_are_rotated_and_stored(site: Site) -> None:
    """T: both tokens of every answer are stored; the bootstrap setting is used once."""
    site.tiktok_sim("options", {"rotation": "dies", "token_life_s": "3600"})
    ref = site.order()
    for _ in range(4):
        site.sync()
        site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)
    assert site.calls("tiktok")["GET /api/v2/token/refresh"] == 5


def test_ended_consent_pauses_the_connection_and_says_how_to_reconnect(site: Site) -> None:
    ref = site.order()
    site.sync()
    site.tiktok_sim("authorisation", {"action": "expire_refresh"})
    site.tiktok_sim("authorisation", {"action": "expire_access"})
    error = _error(site, "shop")
    assert "consent" in error.do.lower()
    assert site.fate(ref)[0] == "held"


def test_token_of_a_creator_is_refused_and_the_main_account_asked_for(site: Site) -> None:
    """M8."""
    site.tiktok_sim("options", {"user_type": "1"})
    error = _error(site, "shop")
    assert "main" in f"{error.what} {error.do}".lower()


def test_missing_scope_is_named(site: Site) -> None:
    site.tiktok_sim("options", {"granted_scopes": "seller.authorization.info"})
    error = _error(site, "shop")
    assert "scope" in f"{error.what} {error.do}".lower()


def test_absent_shop_is_told_with_the_shops_there_are(make_site: SiteMaker) -> None:
    site = make_site()
    text = (site.folder / "routes.yaml").read_text().replace("${SHOP}", '"7400000000000000000"')
    (site.folder / "routes.yaml").write_text(text)
    error = _error(site, "shop")
    assert site.tiktok.settings()["shop"] in f"{error.what} {error.do}"


def test_clock_that_is_off_is_measured(make_site: SiteMaker) -> None:
    """T: a request older than five minutes is refused; the message says by how much the clock is off."""
    site = make_site()
    site.tiktok_sim("clock", {"now": NOON + 400})
    text = (site.folder / "routes.yaml").read_text()
    text = text.replace(f"clock: {site.tiktok.url}", f"clock: {site.katana.url}")
    (site.folder / "routes.yaml").write_text(text)
    error = _error(site, "shop")
    assert error.code == "clock-skew"
    assert "400" in error.what


@pytest.mark.parametrize("ahead_s", [-400, 40, 864_000, -864_000])
def test_clock_that_is_off_rests_the_shop_with_its_work_kept_until_it_is_mended(
    make_site: SiteMaker, ahead_s: int
) -> None:
    """A day of it: said once when it goes and once when it returns, no order lost, and the ERP works on."""
    site = make_site()
    ours_by_katana = (site.folder / "routes.yaml").read_text().replace(
        f"clock: {site.tiktok.url}", f"clock: {site.katana.url}"
    )  # fmt: skip
    (site.folder / "routes.yaml").write_text(ours_by_katana)
    known = site.order()
    site.sync()
    site.katana_sim("clock", {"advance_s": ahead_s})  # which is ours
    unseen = site.order()
    with capture_logs() as log:
        for _ in range(3):
            error = _error(site, "shop")
            assert (error.code, str(abs(ahead_s)) in error.what) == ("clock-skew", True)
            assert "NTP" in error.do
            assert site.fates() == {"held": 1}
            site.advance(8 * HOUR)
        now = site.tiktok_sim("clock", method="GET")["now"]
        site.katana_sim("clock", {"now": now})
        site.advance(301)
        assert site.sync().errors == {}
    assert site.fate(known) == site.fate(unseen) == ("placed", None)
    assert len(site.sales_orders()) == 2
    told = [entry["event"] for entry in log if entry.get("connection") == "shop"]
    assert [event for event in told if event.startswith("connection-")] == ["connection-paused", "connection-back"]


def test_wrong_katana_key_keeps_the_orders_and_says_where_keys_are_made(site: Site) -> None:
    ref = site.order()
    site.advance(2 * HOUR)
    site.katana_sim("options", {"key_revoked": "yes"})
    error = _error(site, "factory")
    assert "API keys" in error.do
    assert site.fate(ref)[0] in ("ready", "held")
    site.katana_sim("options", {"key_revoked": "no"})
    _goes_on(site, ref)


@pytest.mark.parametrize(
    "option",
    [
        {"error_wrapper": "bare"}, {"inline_addresses": "no"}, {"ratelimit_reset_unit": "s"}, {"search_shape": "none"},
        {"updated_at_min": "exclusive"}, {"source_case": "lower"}, {"number_style": "strings"},
        {"total_includes_shipping": "yes"}, {"rate_limit": "60"},
    ],
)  # fmt: skip
def test_katana_may_behave_either_way(site: Site, option: dict[str, Any]) -> None:
    """Each fact that is UNCERTAIN, the other way round."""
    site.katana_sim("options", option)
    refs = site.orders_made(count=8, shipping="5.00", create_time=NOON - 60, lines=[{"sku": "MUG", "price": "20.00"}])
    bad = site.order(lines=[{"sku": "HAT", "price": "9.00"}])
    site.advance(2 * HOUR)
    site.sync()
    assert {site.fate(ref) for ref in refs} == {("placed", None)}
    assert site.fate(bad) == ("blocked", "variant-unmapped")
    assert len(site.sales_orders()) == 8


def test_route_that_names_an_unknown_location_blocks_and_heals(make_site: SiteMaker) -> None:
    site = make_site(routes=ROUTE + "      location: {default: West}\n")
    ref = site.order()
    site.advance(2 * HOUR)
    site.sync()
    assert site.fate(ref) == ("blocked", "location-unknown")
    site.katana_sim("seed", {"locations": [{"name": "West", "sales_allowed": True}]})
    site.advance(25 * HOUR)
    site.sync()
    assert site.fate(ref) == ("placed", None)


def test_katana_budget_is_kept_without_a_refusal(site: Site) -> None:
    """Law 10: no 429 in a quiet world, at 60 calls a minute."""
    text = (site.folder / "routes.yaml").read_text().replace("requests_per_minute: 6000", "requests_per_minute: 60")
    (site.folder / "routes.yaml").write_text(text)
    site.katana_sim("options", {"rate_limit": "60"})
    site.orders_made(count=150, lines=[{"sku": "MUG", "price": "20.00"}], create_time=NOON - 60)
    site.advance(2 * HOUR)
    site.both("clock", {"rate": 60})
    site.sync()
    assert site.fates() == {"placed": 150}
    journal = site.katana_sim("journal?since=0&limit=10000", method="GET")
    assert [call for call in journal["calls"] if call["status"] == 429] == []
