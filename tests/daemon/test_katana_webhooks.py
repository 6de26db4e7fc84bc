"""From a change in the simulated Katana to the hint in the ledger: real deliveries to the daemon's HTTP side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.daemon.metrics import Metrics
from hub.daemon.web import serve_web
from hub.engine.outcome import call
from hub.engine.world import World
from hub.store.tables import wakes
from tests.daemon.conftest import until
from tests.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, str(tmp_path / "hub.db"))
    made.katana_sim("options", {"webhook_http": "on"})
    yield made
    made.close()


@contextmanager
def daemon(world: World, listen: str = "127.0.0.1:0") -> Iterator[tuple[str, list[str]]]:
    """The HTTP side; yields its address and the Connections it was told to visit."""
    woken: list[str] = []
    with serve_web(lambda: world, listen, woken.append, Metrics()) as (host, port):
        yield f"{host}:{port}", woken


def register(world: World, address: str) -> None:
    assert call(world, world.connected["factory"], "register_webhooks", url=f"http://{address}/webhooks/factory")


def noted(world: World) -> set[tuple[str, str, str]]:
    with world.store.read() as tx:
        return {(row.connection, row.kind, row.ref) for row in tx.execute(wakes.select())}


def report(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.katana_sim("webhooks", method="GET")
    return found


def variant(site: Site, sku: str) -> str:
    return str(next(row["id"] for row in site.katana_sim("state", method="GET")["variants"] if row["sku"] == sku))


def test_a_change_of_stock_in_katana_is_noted_for_its_lane(site: Site) -> None:
    """The signature is checked over the bytes that came, with a key that is nowhere in plain text."""
    world = site.open()
    with daemon(world) as (address, woken):
        register(world, address)
        site.katana_sim("do/stock", {"sku": "MUG", "quantity": 7})
        until(lambda: woken == ["factory"])
        assert noted(world) == {("factory", "inventory", variant(site, "MUG"))}
        assert report(site)["answers"] == {"200": 1}
    (subscription,) = report(site)["subscriptions"]
    site.close_hub()
    files = [path for path in site.folder.iterdir() if path.is_file()]
    assert len(files) > 2
    assert not any(subscription["token"].encode() in path.read_bytes() for path in files)


def test_what_came_while_the_daemon_was_down_is_told_again(site: Site) -> None:
    """K-97: Katana repeats; the next process knows the key, since it is kept."""
    world = site.open()
    with daemon(world) as (address, _):
        register(world, address)
    site.katana_sim("do/stock", {"sku": "TEA", "quantity": 7})
    until(lambda: report(site)["answers"] == {"none": 1})
    world = site.open()
    with daemon(world, address) as (_, woken):
        site.advance(31)
        until(lambda: woken == ["factory"])
        assert noted(world) == {("factory", "inventory", variant(site, "TEA"))}


def test_who_does_not_know_the_key_is_refused_whatever_he_sends(site: Site) -> None:
    world = site.open()
    with daemon(world) as (address, woken):
        body = {"action": "sales_order.updated", "object": {"id": "1"}}
        assert site.http.post(f"http://{address}/webhooks/factory", json=body).status_code == 401
        register(world, address)
        (subscription,) = report(site)["subscriptions"]
        for signature in ("", subscription["token"], "sha256=", "0" * 64):
            headers = {"X-Sha2-Signature": signature}
            refused = site.http.post(f"http://{address}/webhooks/factory", json=body, headers=headers)
            assert refused.status_code == 401
        assert (woken, noted(world)) == ([], set())
