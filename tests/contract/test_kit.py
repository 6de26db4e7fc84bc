"""The kit itself: nothing passes because nothing was looked at, and what is missing is said."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field

from hub.contract import Connector, OutsideUrl
from hub.testing import ConnectorContract, Outside, make_connection
from hub.testing.stage import Stage
from tests.contract.tiny import TinyErp, TinyShop
from tests.contract.tiny_depot import TinyDepot, TinyStation
from tests.contract.tiny_office import TinyBackOffice, TinyOffice
from tests.contract.tiny_stock import TinyStock, TinyStockroom
from tests.contract.tiny_system import TinySystem


def play(rule: str, connector: type, outside: Outside | None = None, **stated: Any) -> None:
    """Run one rule on a connector."""
    given = {"connector_class": connector, "order_count": 3, "pull_calls": 2, **stated}
    contract = type("Contract", (ConnectorContract,), given)()
    with Stage(contract, outside or TinySystem()) as stage:
        getattr(contract, rule)(stage)


@pytest.mark.parametrize(
    "rule",
    [
        "test_pages_are_read_lazily",
        "test_any_cursor_is_safe_to_resume_from",
        "test_a_failing_page_raises_transient_error",
    ],
)
def test_rules_about_pages_fail_where_all_orders_fit_on_one(rule: str) -> None:
    with pytest.raises(AssertionError, match="larger order_count"):
        play(rule, TinyShop, order_count=2)


class Childless(TinySystem):
    """Its pages hold one order each, so no row can be repeated or reordered."""

    def _get_orders(self, query: dict[str, Any]) -> Any:
        reply = super()._get_orders(query)
        return type(reply)(200, b'{"orders": [], "next": null}')


def test_rules_about_rows_fail_where_no_row_was_changed() -> None:
    with pytest.raises(AssertionError, match="nothing was changed"):
        play("test_rows_out_of_order_are_harmless", TinyShop, Childless())


def test_rules_about_orders_fail_where_none_was_pulled() -> None:
    with pytest.raises(AssertionError, match="nothing to check"):
        play("test_money_of_every_order_balances", TinyShop, Childless())


def test_a_channel_whose_calls_are_not_stated_fails() -> None:
    with pytest.raises(AssertionError, match="state pull_calls"):
        play("test_a_pull_takes_no_more_calls_than_stated", TinyShop, pull_calls=None)


class _NoSecret(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    url: OutsideUrl = Field(description="Where it answers.", examples=["https://tiny.example"])


class OpenSystem(TinySystem):
    def settings(self, url: str) -> dict[str, Any]:
        return {"url": url}


class OpenShop(TinyShop):
    settings_model: ClassVar[type[BaseModel]] = _NoSecret

    def send(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        return {"name": "open", "locations": [], "orders": [], "next": None}


def test_a_connector_without_a_secret_must_say_that_it_needs_none() -> None:
    rule = "test_secret_settings_are_typed_secret"
    with pytest.raises(AssertionError, match="say has_credentials"):
        play(rule, OpenShop, OpenSystem())
    play(rule, OpenShop, OpenSystem(), has_credentials=False)


def test_short_test_secrets_are_refused_because_they_cannot_be_told_apart() -> None:
    class Short(TinySystem):
        def __init__(self) -> None:
            super().__init__()
            self.key = "abc"

        def settings(self, url: str) -> dict[str, Any]:
            return {"url": url, "api_key": "abc"}

    with pytest.raises(AssertionError, match=r"8 letters or more.*: api_key"):
        play("test_no_secret_appears_in_errors_logs_or_findings", TinyShop, Short())


@pytest.mark.parametrize(
    ("connector", "rule", "hooks"),
    [
        (TinyErp, "test_pages_are_read_lazily", "pull_orders"),
        (TinyShop, "test_find_variants_finds_every_sku_and_no_other", "find_variants"),
        (TinyShop, "test_nothing_is_written_in_a_dry_run", "find_variants and push_order"),
    ],
)
def test_what_is_not_implemented_is_skipped_by_its_name(connector: type[Connector], rule: str, hooks: str) -> None:
    with pytest.raises(pytest.skip.Exception, match=f"^{hooks} not implemented$"):
        play(rule, connector)


def test_a_method_that_the_author_did_not_give_is_asked_for() -> None:
    class Mute(Outside):
        def upstream(self) -> Any:
            return TinySystem().upstream()

        def settings(self, url: str) -> dict[str, Any]:
            return {"url": url, "api_key": "tiny-secret-key"}

    with pytest.raises(NotImplementedError, match="Mute needs a method 'seed_orders': the kit asks it of pull_orders"):
        play("test_money_of_every_order_balances", TinyShop, Mute())


def test_a_bench_is_built_of_the_hubs_own_parts() -> None:
    bench = make_connection(TinyShop, {"url": "https://tiny.example", "api_key": "tiny-secret-key"})
    begun = bench.connection.clock.now()
    bench.http._clock.wait(3600)
    assert (bench.connection.clock.now() - begun).total_seconds() == 3600, "waits take no time, but they count"
    assert bench.connection.http is bench.http
    assert type(bench.http).__module__ == "hub.host.http"
    bench.http.close()


def test_a_rule_whose_deed_is_not_given_is_skipped_by_the_deeds_name() -> None:
    class Shy(TinyStockroom):
        freeze_stock = Outside.freeze_stock

    rule = "test_a_refused_variant_does_not_hide_that_others_were_done"
    with pytest.raises(pytest.skip.Exception, match=r"^Shy does not give freeze_stock$"):
        play(rule, TinyStock, Shy())
    play(rule, TinyStock, TinyStockroom())


@pytest.mark.parametrize(
    ("rule", "connector", "outside", "stated"),
    [
        ("test_pages_of_stock_are_read_lazily", TinyStock, TinyStockroom, {"variant_count": 1}),
        ("test_pages_of_fulfillments_are_read_lazily", TinyOffice, TinyBackOffice, {"fulfillment_count": 1}),
    ],
)
def test_rules_about_pages_of_anything_fail_where_all_fits_on_one(
    rule: str, connector: type, outside: type[Outside], stated: dict[str, int]
) -> None:
    with pytest.raises(AssertionError, match="paging is not tested"):
        play(rule, connector, outside(), **stated)


def test_stock_below_zero_is_no_matter_where_the_system_never_shows_it() -> None:
    with pytest.raises(pytest.skip.Exception, match="shows no stock below zero"):
        play("test_stock_below_zero_is_told_as_it_is", TinyStock, TinyStockroom(), negative_stock=False)


def test_an_order_of_one_line_cannot_show_that_parcels_stay_apart() -> None:
    class Frugal(TinyStation):
        def seed_open_order(self) -> str:
            ref = super().seed_open_order()
            del self.orders[ref]["lines"][1:]
            return ref

    with pytest.raises(AssertionError, match="needs two or more"):
        play("test_each_package_is_told_once_with_exactly_its_lines", TinyDepot, Frugal())


def test_rules_about_every_pull_are_skipped_where_there_is_none_to_fill() -> None:
    with pytest.raises(pytest.skip.Exception, match=r"none of pull_products, .* is implemented and given"):
        play("test_the_last_page_of_every_pull_carries_a_cursor", TinyErp)
