"""What /metrics tells: read over HTTP after real work, held against what both systems and the ledger say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from hub.contract import Budget
from hub.daemon import figures, metrics
from hub.daemon.metrics import Metrics, endpoint_of
from hub.engine.steps import CHANNEL, ERP, ERP_FIRST, PROOF
from hub.engine.world import World
from hub.routing.fate import Fate
from hub.store import known
from hub.store.tables import proofs
from tests.conftest import NOON
from tests.daemon.watched import ROUTE, busy, private, watched, work
from tests.docs.console import page
from tests.docs.test_errors_page import sections
from tests.site import Site

CAUSES = re.findall(r"^\| `[a-z-]+` \| `([a-z-]+)` \|", page("docs/operating.md"), re.MULTILINE)
Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]


def read(http: httpx.Client) -> Samples:
    """Return every sample of ours, by name and labels."""
    answer = http.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            if sample.name.startswith("hub_"):
                found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def labelled(samples: dict[tuple[tuple[str, str], ...], float], *names: str) -> dict[Any, float]:
    """Return samples by the values of these labels, summed over all others."""
    found: dict[Any, float] = {}
    for labels, value in samples.items():
        of = dict(labels)
        key = of[names[0]] if len(names) == 1 else tuple(of[name] for name in names)
        found[key] = found.get(key, 0) + value
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("metrics")
    made = Site(folder, str(folder / "hub.db"), routes=ROUTE)
    yield made
    made.close()


@pytest.fixture(scope="module")
def told(site: Site) -> Metrics:
    return Metrics()


@pytest.fixture(scope="module")
def world(site: Site, told: Metrics) -> World:
    return site.open(trace=told.trace)


@pytest.fixture(scope="module")
def refs(site: Site, world: World) -> dict[str, str]:
    """The orders of a day, worked off."""
    made = busy(site)
    work(site, world, made)
    return made


@pytest.fixture(scope="module")
def http(world: World, told: Metrics, refs: dict[str, str]) -> Iterator[httpx.Client]:
    """The HTTP side; each scrape reads anew."""
    with pytest.MonkeyPatch.context() as patch, watched(world, told) as client:
        patch.setattr(figures, "KEEP_S", 0.0)
        patch.setattr(figures, "KEEP_TIMES", 0)
        yield client


def test_orders_stand_as_the_ledger_has_them(site: Site, http: httpx.Client) -> None:
    assert labelled(read(http)["hub_orders"], "fate") == site.fates()
    assert site.fates() == {"placed": 1, "fulfilled": 1, "cancelled": 1, "blocked": 1}
    causes = labelled(read(http)["hub_orders"], "fate", "cause")
    assert causes["blocked", "variant-unmapped"] == causes["placed", ""] == 1


def test_calls_are_those_that_both_systems_counted(site: Site, http: httpx.Client) -> None:
    samples = read(http)
    calls = labelled(samples["hub_http_requests_total"], "connection")
    assert calls == {"shop": site.total_calls("tiktok"), "factory": site.total_calls("katana")}
    assert labelled(samples["hub_http_request_seconds_count"], "connection") == calls
    assert set(labelled(samples["hub_http_requests_total"], "status")) == {"200"}
    hooks = labelled(samples["hub_http_requests_total"], "hook")
    assert hooks["pull_orders"] >= 3
    assert hooks["push_order"] >= 2
    answers = labelled(samples["hub_hook_calls_total"], "hook", "outcome")
    assert answers["push_order", "ok"] == 2
    assert {outcome for _, outcome in answers} == {"ok"}


def test_window_between_check_and_last_byte_is_counted_for_each_write(site: Site, http: httpx.Client) -> None:
    """Law 1: what cannot be closed is measured."""
    reads = ("GET ", "POST /order", "POST /product/202309/products/search", "POST /product/202309/inventory/search",
             "POST /return_refund", "POST /product/202502/products/search")  # fmt: skip
    calls = [*site.calls("tiktok").items(), *site.calls("katana").items()]
    # An exchange of tokens is a write too, whatever its method: the old refresh token may die of it (T-13).
    writes = sum(n for call, n in calls if "/token/" in call or not call.startswith(reads))
    samples = read(http)
    assert samples["hub_send_window_seconds_count"][()] == writes > 2
    assert samples["hub_send_window_seconds_sum"][()] < writes


def test_visits_pulls_lag_budgets_and_tokens_are_told(http: httpx.Client) -> None:
    samples = read(http)
    visits = labelled(samples["hub_visits_total"], "connection", "outcome")
    assert set(visits) == {("shop", "ok"), ("factory", "ok")}
    assert samples["hub_visit_seconds_count"][()] == sum(visits.values())
    ages = labelled(samples["hub_pull_age_seconds"], "connection", "stream")
    assert {("shop", "orders"), ("factory", "fulfillments"), ("factory", "levels")} <= set(ages)
    assert 0 <= ages["shop", "orders"] < 60
    assert set(labelled(samples["hub_lag_seconds"], "connection")) == {"shop", "factory"}
    assert labelled(samples["hub_oldest_blocked_seconds"], "connection")["shop"] >= 7200
    left = labelled(samples["hub_token_left_seconds"], "connection", "token")
    assert set(left) == {("shop", "access"), ("shop", "consent")}
    assert 0 < left["shop", "access"] < left["shop", "consent"]
    used = labelled(samples["hub_budget_used_calls"], "connection", "endpoint")
    room = labelled(samples["hub_budget_left_calls"], "connection", "endpoint")
    assert used.keys() == room.keys()
    assert ("shop", "POST /order/202309/orders/search") in used
    assert [key for key in used if key[0] == "factory"] == [("factory", "all")], "one budget for the whole account"
    assert used["factory", "all"] + room["factory", "all"] == 6000
    assert samples["hub_database_up"][()] == 1
    assert len(samples["hub_build_info"]) == 1


def test_last_reconciliation_is_told_with_what_it_left_over(world: World, http: httpx.Client) -> None:
    at = world.clock.now() - timedelta(minutes=10)
    document = {"orders": {"missing": ["576000000000000001"], "doubled": []}, "stock": {"differs": ["MUG", "TEE"]}}
    with world.store.write() as tx:
        tx.execute(proofs.delete())
        tx.execute(proofs.insert(), {"connection": "shop", "at": at, "document": document})
    samples = read(http)
    assert 600 <= labelled(samples["hub_reconciliation_age_seconds"], "connection")["shop"] < 700
    assert labelled(samples["hub_reconciliation_remainder"], "part") == {"orders": 1, "stock": 2}
    assert "576000000000000001" not in http.get("/metrics").text


def test_no_order_no_sku_no_buyer_and_no_secret_is_told(
    site: Site, world: World, refs: dict[str, str], http: httpx.Client
) -> None:
    text = http.get("/metrics").text
    assert len(text.splitlines()) > 100
    secrets = private(site, world, refs)
    assert len(secrets) > 15
    assert [secret for secret in secrets if re.search(rf"(?<![0-9.]){re.escape(secret)}(?![0-9])", text)] == []


def test_labels_are_of_few_known_values(http: httpx.Client) -> None:
    """However much a shop sells, the figures stay as many."""
    known = {
        "connection": r"shop|factory|",
        "hook": r"[a-z]+(_[a-z]+)+|none",
        "status": r"[1-5]\d\d|other|lost",
        "fate": "|".join(Fate),
        "endpoint": r"[A-Z]+ /[a-z_/]+(/\d{6})?[a-z_/{}]*|all",
        "cause": "|".join(("", *CAUSES, *sections())),
        "step": "|".join(("", *(name for name, _ in (*CHANNEL, *ERP_FIRST, *ERP, *PROOF)))),
        "stream": "|".join(figures.STREAMS),
        "token": "access|consent",
        "outcome": "|".join(("ok", "taken", "refused", "unknown", "full", *sections())),
        "code": "|".join(sections()),
        "part": r"[a-z_]+",
        "version": r"[0-9a-z.]+",
        "le": r"[0-9.]+|\+Inf",
    }
    for name, samples in read(http).items():
        for labels in samples:
            for label, value in labels:
                assert re.fullmatch(known[label], value), f"{name}: {label}={value}"


def test_every_figure_of_the_page_exists_and_every_figure_is_on_the_page(http: httpx.Client) -> None:
    families = text_string_to_metric_families(http.get("/metrics").text)
    real = {
        family.name + ("_total" if family.type == "counter" else ""): sorted(
            {label for sample in family.samples for label in sample.labels} - {"le"}
        )
        for family in families
        if family.name.startswith("hub_")
    }
    rows = re.findall(r"^\| `(hub_[a-z_]+)` \|([^|]*)\|", page("docs/operating.md"), re.MULTILINE)
    said = {name: sorted(re.findall(r"`([a-z]+)`", labels)) for name, labels in rows}
    assert said.keys() == real.keys()
    assert {name: labels for name, labels in real.items() if labels and labels != said[name]} == {}
    alerts = re.findall(r"\bhub_[a-z_]+", page("docs/operating.md"))
    stems = tuple(real)
    assert [name for name in alerts if not name.startswith(stems)] == []


def test_scrapes_after_another_cost_the_database_nothing(
    world: World, refs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    @sa.event.listens_for(world.store.engine, "before_cursor_execute")
    def count(*arguments: Any) -> None:
        asked.append(arguments[2])

    def selects_of(scrapes: int) -> int:
        asked.clear()
        with watched(world, Metrics()) as http:
            for _ in range(scrapes):
                http.get("/metrics")
        return sum(sql.startswith("SELECT") for sql in asked)

    monkeypatch.setattr(figures, "KEEP_S", 0.0)
    monkeypatch.setattr(figures, "KEEP_TIMES", 0)
    anew = selects_of(4)
    monkeypatch.setattr(figures, "KEEP_S", 30.0)
    assert 5 < selects_of(1) == selects_of(20) == anew // 4 < 25
    monkeypatch.setattr(figures, "KEEP_S", 0.0)
    monkeypatch.setattr(figures, "KEEP_TIMES", 1e6)  # a reading that takes long is kept for many times as long
    assert selects_of(20) == anew // 4
    sa.event.remove(world.store.engine, "before_cursor_execute", count)


def test_database_that_cannot_be_read_is_told_and_what_was_counted_is_told_all_the_same(tmp_path: Path) -> None:
    site = Site(tmp_path, str(tmp_path / "hub.db"))
    told = Metrics()
    world = site.open(trace=told.trace)
    with watched(world, told) as http:
        world.store.close()
        file, aside = tmp_path / "hub.db", tmp_path / "aside.db"
        file.replace(aside)
        file.write_bytes(b"This is no database. " * 400)
        samples = read(http)
        assert samples["hub_database_up"][()] == 0
        assert "hub_build_info" in samples
        assert "hub_orders" not in samples
        aside.replace(file)
        assert read(http)["hub_database_up"][()] == 1
    site.close()


def test_budgets_key_tells_its_endpoint_and_nothing_else() -> None:
    assert endpoint_of("tiktok:key:7495:POST /order/202309/orders/{id}/ship") == "POST /order/202309/orders/{id}/ship"
    assert endpoint_of("tiktok:key:7495:documents") == "documents"
    for private_one in ("katana:0f3a", "x:GET /orders/576000000000000001", "tiktok:key:Wilhelmina", "sk_live_77"):
        assert endpoint_of(private_one) == "all", private_one


def test_of_budgets_with_one_name_the_one_with_the_least_left_is_told(world: World, told: Metrics) -> None:
    limits = {("shop", f"key-{n}"): ("all", calls) for n, calls in enumerate((50, 20, 60))}
    families = {each.name: each for each in figures._families(figures._Reading(taken={"key-1": 5}), limits, NOON)}
    assert [each.value for each in families["hub_budget_left_calls"].samples] == [15]
    assert [each.value for each in families["hub_budget_used_calls"].samples] == [5]


def test_rests_are_told_by_connection_and_step(world: World, http: httpx.Client) -> None:
    at = world.clock.now() + timedelta(minutes=4)
    for name in ("factory", "factory/shipments"):
        with world.store.write() as tx:
            known.pause(tx, name, at, {"code": "scope-missing", "for_s": 300})
    assert labelled(read(http)["hub_connection_paused"], "connection", "step", "code") == {
        ("factory", "", "scope-missing"): 1,
        ("factory", "shipments", "scope-missing"): 1,
    }
    for name in ("factory", "factory/shipments"):
        with world.store.write() as tx:
            known.pause(tx, name, None, None)


def test_time_without_a_first_proof_counts_from_the_start(world: World, http: httpx.Client) -> None:
    with world.store.write() as tx:
        tx.execute(proofs.delete())
    assert "hub_reconciliation_age_seconds" not in read(http)
    world.told_from = world.clock.now() - timedelta(hours=4)
    ages = labelled(read(http)["hub_reconciliation_age_seconds"], "connection")
    assert ages.keys() == {"shop", "factory"}
    assert all(age >= 4 * 3600 for age in ages.values())
    world.told_from = None


def test_figures_of_budgets_stay_bounded_whatever_a_connector_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST_LIMITS", 3)
    told = Metrics()
    for n in range(10):
        budget = Budget(f"key-{n}", 5, 60)
        call = {"connection": "shop", "status": 200, "seconds": 0.1, "attempt": 1, "budget": budget}
        told.trace("http", call)
    assert len(told.limits) == 3
