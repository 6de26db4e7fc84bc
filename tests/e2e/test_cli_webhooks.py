"""``hub webhooks``: registered, listed, mended, removed; and the daemon that renews by itself."""

from __future__ import annotations

import threading

import pytest
from structlog.testing import capture_logs

from hub.engine import subscribe
from hub.engine.lane import visit
from hub.engine.progress import Progress
from tests.e2e.conftest import Hub
from tests.site import Site

URL = "https://hub.example.com"


def test_webhooks_are_registered_listed_mended_and_removed(site: Site, hub: Hub) -> None:
    first = hub("webhooks")
    assert first.code == 0
    assert first.out.count("not registered: hub webhooks register") == 2
    done = hub("webhooks", "register", "--url", f"{URL}/")
    assert done.code == 0
    assert f"events to {URL}/webhooks/shop" in done.out
    assert f"events to {URL}/webhooks/factory" in done.out
    assert "hub run --listen" in done.out
    listed = hub("webhooks", "--json").json
    assert [(each["connection"], each["complete"], each["missing"]) for each in listed] == [
        ("shop", True, []), ("factory", True, []),
    ]  # fmt: skip
    site.http.request(
        "DELETE", f"{site.katana.url}/v1/webhooks/{_subscription(site)}",
        headers={"Authorization": f"Bearer {site.environ()['API_KEY']}"},
    )  # fmt: skip
    assert "missing" in hub("webhooks", "list", "factory").out
    assert hub("webhooks", "register", "factory", HUB_PUBLIC_URL=URL).code == 0
    assert hub("webhooks", "--json", "list", "factory").json[0]["complete"]
    removed = hub("webhooks", "remove")
    assert removed.code == 0
    assert "factory delivers nothing to the hub any more" in removed.out
    assert [each["events"] for each in hub("webhooks", "--json").json] == [[], []]
    assert hub("webhooks").out.count("not registered") == 2


def _subscription(site: Site) -> int:
    headers = {"Authorization": f"Bearer {site.environ()['API_KEY']}"}
    return int(site.http.get(f"{site.katana.url}/v1/webhooks", headers=headers).json()["data"][0]["id"])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("register",), 2, "--url"),
        (("register", "--url", "http://hub.example.com"), 1, "webhook-url"),
        (("register", "--url", "https://"), 1, "webhook-url"),
        (("register", "--url", "https://hub.example.com/?x=1"), 1, "webhook-url"),
        (("register", "shpo", "--url", URL), 1, "shop"),
        (("list", "nobody"), 1, "connection-unknown"),
        (("remove", "nobody"), 1, "connection-unknown"),
    ],
)
def test_what_cannot_be_registered_is_refused_in_words(
    site: Site, hub: Hub, arguments: tuple[str, ...], code: int, says: str
) -> None:
    done = hub("webhooks", *arguments)
    assert done.code == code
    assert says in done.err
    assert not any("webhooks" in call for call in (*site.calls("katana"), *site.calls("tiktok")))


def test_connection_that_fails_is_told_and_the_others_are_registered(site: Site, hub: Hub) -> None:
    site.katana_sim("options", {"key_revoked": "yes"})
    done = hub("webhooks", "register", "--url", URL)
    assert done.code == 1
    assert f"events to {URL}/webhooks/shop" in done.out
    assert "credentials-refused" in done.err


def _visit(site: Site, id_: str) -> object:
    world = site.world or site.open()
    return visit(world, Progress(), threading.Event(), id_).error


def test_daemon_renews_when_it_begins_and_once_a_day_with_one_call(site: Site) -> None:
    world = site.open()
    subscribe.register(world, world.connected["factory"], subscribe.url_at(URL, "factory"))
    _visit(site, "factory")
    list_call = "GET /v1/webhooks"
    begun = site.calls("katana")[list_call]
    for _ in range(3):  # it was registered just now
        site.advance(60)
        site.open()
        _visit(site, "factory")
    assert site.calls("katana")[list_call] == begun
    site.advance(7200)
    site.open()  # a process that begins
    for _ in range(3):
        _visit(site, "factory")
    assert site.calls("katana")[list_call] == begun + 1
    assert "POST /v1/webhooks" in site.calls("katana")
    assert site.calls("katana")["POST /v1/webhooks"] == 1


def test_renewal_that_fails_is_said_once_and_stops_nothing(site: Site) -> None:
    world = site.open()
    subscribe.register(world, world.connected["factory"], subscribe.url_at(URL, "factory"))
    site.advance(7200)
    world = site.open()
    site.both("clock", {"rate": 3000})
    site.katana_sim("faults", {"faults": [{"kind": "503", "match": "webhooks"}]})
    with capture_logs() as logs:
        for _ in range(3):
            assert _visit(site, "factory") is None
            world.renewals.clear()
    assert [entry["event"] for entry in logs].count("webhooks-unrenewed") == 1
    site.katana_sim("faults", {"faults": []})
    with capture_logs() as logs:
        assert _visit(site, "factory") is None
    assert "webhooks-renewed" in {entry["event"] for entry in logs}
