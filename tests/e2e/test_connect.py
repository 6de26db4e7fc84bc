"""``hub connect`` as a process: a page of consent, the answer on loopback or pasted, and what becomes of it (M8)."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hub.host.cipher import Cipher
from hub.store import known, open_store, orders
from tests.browser import decide, follow
from tests.e2e.conftest import Hub
from tests.site import HOUR, Site

PATIENCE_S = 30
MAIN = "main (owner) account"


def route_file(site: Site) -> str:
    return (site.folder / "routes.yaml").read_text()


@pytest.fixture
def site(site: Site) -> Site:
    """A site whose shop was never connected."""
    text = route_file(site).replace("      refresh_token: ${REFRESH_TOKEN}\n", "      service_id: '71'\n")
    (site.folder / "routes.yaml").write_text(text)
    return site


class Connecting:
    """One ``hub connect`` that runs, and what it says; its stdin is empty, a pipe to type into, or as given."""

    def __init__(self, hub: Hub, *arguments: str, stdin: int = subprocess.DEVNULL) -> None:
        assert hub.starter is not None
        clean = {name: value for name, value in hub.environ.items() if name not in ("DISPLAY", "BROWSER")}
        (hears, self._types), (self._reads, says) = os.pipe(), os.pipe()
        self._out = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed below
        given = stdin if stdin >= 0 else hears
        if stdin != subprocess.PIPE:
            os.close(self._types)
            self._types = -1
        self.process = hub.starter.start(("connect", *arguments), hub.folder, clean, given, self._out.fileno(), says)
        os.close(hears)
        os.close(says)
        self.said: list[str] = []
        self._lines: Queue[str | None] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with os.fdopen(self._reads) as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(None)

    def types(self, text: str) -> None:
        """Have a person type a line."""
        os.write(self._types, f"{text}\n".encode())

    def hears(self, pattern: str) -> str:
        """Wait until it says something, and return the first group."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_S)
            except Empty:
                raise AssertionError(f"never said {pattern}: {self.said}") from None
            assert line is not None, self.said
            self.said.append(line)
            if found := re.search(pattern, line):
                return found[1] if found.groups() else found[0]

    def page(self) -> tuple[str, str]:
        """Return the address that the answer goes to, and the page to consent at."""
        callback = self.hears(r"The answer goes to (\S+?);")
        return callback, self.hears(r"^  (http\S+)")

    def end(self) -> tuple[int, str, str]:
        """Return exit code, stdout and stderr."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        while (line := self._lines.get(timeout=PATIENCE_S)) is not None:
            self.said.append(line)
        self._out.seek(0)
        out, err = self._out.read(), "".join(self.said)
        assert "Traceback" not in out + err, err
        return code, out, err

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)
        if self._types >= 0:
            os.close(self._types)
        self._out.close()
        self._reader.join(PATIENCE_S)


@pytest.fixture
def connecting(hub: Hub) -> Iterator[Any]:
    made: list[Connecting] = []

    def start(*arguments: str, stdin: int = subprocess.DEVNULL) -> Connecting:
        made.append(Connecting(hub, *arguments, stdin=stdin))
        return made[-1]

    yield start
    for each in made:
        each.close()


def consent(site: Site, connecting: Connecting, decision: str = "authorise") -> httpx.Response:
    """Let a person press a button of the simulated page and follow it."""
    callback, page = connecting.page()
    site.tiktok_sim("options", {"redirect_url": callback})
    return follow(decide(page, decision))


# -- a consent


def test_person_is_told_of_the_main_account_before_the_page_is(site: Site, connecting: Any) -> None:
    run = connecting("shop", "--port", "0")
    assert consent(site, run).status_code == 200
    code, out, err = run.end()
    assert code == 0, err
    assert err.index("Before you consent") < err.index("Open this page")
    assert MAIN in err.partition("Open this page")[0]
    assert "Connected shop" in out
    assert "<- configured" in out


def test_connected_shop_works_without_any_refresh_token_in_the_settings(site: Site, connecting: Any, hub: Hub) -> None:
    assert "not-connected" in hub("sync").err
    run = connecting("shop", "--port", "0")
    consent(site, run)
    assert run.end()[0] == 0
    assert hub("check", "--online").code == 0
    ref = site.order(on_hold=False, create_time=1_772_452_800 - 2 * HOUR)
    assert hub("sync").code == 0
    assert hub("order", ref, "--json").json["brief"]["fate"] == "placed"


def test_what_was_reached_is_told_as_json_and_holds_no_token(site: Site, connecting: Any) -> None:
    run = connecting("shop", "--port", "0", "--json")
    consent(site, run)
    code, out, _ = run.end()
    told = json.loads(out)
    assert code == 0
    assert (told["connection"], told["ok"]) == ("shop", True)
    assert site.calls("tiktok")["GET /api/v2/token/get"] == 1
    assert told["reached"][0]["accounts"][0]["ref"] == site.tiktok.settings()["shop"]
    assert told["consent_until"] is not None


def test_app_that_lacks_its_service_id_is_told_what_to_set(site: Site, hub: Hub) -> None:
    text = route_file(site).replace("      service_id: '71'\n", "")
    (site.folder / "routes.yaml").write_text(text)
    ran = hub("connect", "shop")
    assert ran.code == 1
    assert "service-id-missing" in ran.err


# -- refusals, each with its likely cause


def test_refusal_names_the_sub_account_as_the_likely_cause(site: Site, connecting: Any) -> None:
    run = connecting("shop", "--port", "0")
    consent(site, run, "refuse")
    code, _, err = run.end()
    assert code == 1
    assert "consent-refused" in err
    assert "auth_denied" in err
    assert "sub account" in err.rpartition("do:")[2]


def test_sub_account_that_presses_the_button_in_vain_is_told_so(site: Site, connecting: Any) -> None:
    site.tiktok_sim("options", {"logged_in": "sub_denied"})
    run = connecting("shop", "--port", "0")
    consent(site, run)
    code, _, err = run.end()
    assert code == 1
    assert "consent-refused" in err
    assert MAIN in err.rpartition("do:")[2]


def test_consent_of_another_kind_of_user_is_refused_and_nothing_is_kept(site: Site, connecting: Any, hub: Hub) -> None:
    site.tiktok_sim("options", {"user_type": "1"})
    run = connecting("shop", "--port", "0")
    consent(site, run)
    code, _, err = run.end()
    assert code == 1
    assert "wrong-user-type" in err
    assert "not-connected" in hub("sync").err


def test_no_answer_in_time_names_the_likely_causes(site: Site, connecting: Any) -> None:
    run = connecting("shop", "--port", "0", "--timeout", "1s")
    code, _, err = run.end()
    assert code == 1
    assert "consent-missing: no answer came within 1 seconds" in err
    assert MAIN in err.rpartition("do:")[2]
    assert "redirect address" in err.rpartition("do:")[2]


def test_answer_to_another_question_is_refused_before_any_call(site: Site, connecting: Any) -> None:
    run = connecting("shop", "--port", "0")
    callback, _ = run.page()
    follow(f"{callback}?code=abc&state=another")
    ended, _, err = run.end()
    assert ended == 1
    assert "state-wrong" in err
    assert "abc" not in err
    assert "GET /api/v2/token/get" not in site.calls("tiktok")


def test_shop_that_the_consent_does_not_reach_is_told_with_what_to_write(site: Site, connecting: Any) -> None:
    text = route_file(site).replace("${SHOP}", '"7000"')
    (site.folder / "routes.yaml").write_text(text)
    run = connecting("shop", "--port", "0")
    consent(site, run)
    code, out, _ = run.end()
    assert code == 1
    assert "the configured shop 7000 is not among them" in out
    assert f'shop: "{site.tiktok.settings()["shop"]}"' in out
    assert MAIN in out


def test_scopes_that_the_consent_lacks_are_named(site: Site, connecting: Any) -> None:
    site.tiktok_sim("options", {"granted_scopes": "seller.order.info,seller.authorization.info,seller.logistics"})
    run = connecting("shop", "--port", "0")
    consent(site, run)
    code, out, _ = run.end()
    assert code == 1
    assert "shop lacks: scope seller.product.write is not granted" in out


def test_port_that_is_taken_is_told(site: Site, hub: Hub) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = hub("connect", "shop", "--port", str(taken.getsockname()[1]))
    assert ran.code == 1
    assert "port-taken" in ran.err


def test_unknown_connection_is_answered_with_the_nearest(site: Site, hub: Hub) -> None:
    ran = hub("connect", "shp")
    assert ran.code == 1
    assert "Did you mean shop?" in ran.err
    assert "connection-unlike" in hub("connect", "shop", "--also", "factory").err


# -- without a browser


def test_pasted_address_is_as_good_as_the_callback(site: Site, connecting: Any) -> None:
    run = connecting("shop", "--no-browser", stdin=subprocess.PIPE)
    callback, page = run.page()
    assert callback == "http://127.0.0.1:8722/callback"
    site.tiktok_sim("options", {"redirect_url": callback})
    run.hears("Paste here")
    run.types("what?")
    run.hears("That is not an address with a code")
    run.types(decide(page, "authorise"))
    code, out, err = run.end()
    assert code == 0, err
    assert "Connected shop" in out


def test_end_of_input_is_no_answer_at_once(site: Site, connecting: Any) -> None:
    run = connecting("shop", "--no-browser")
    code, _, err = run.end()
    assert code == 1
    assert "consent-missing" in err


def test_app_whose_redirect_leads_elsewhere_is_connected_by_pasting(site: Site, connecting: Any) -> None:
    there = "https://app.example/back"
    run = connecting("shop", "--redirect-url", there, stdin=subprocess.PIPE)
    callback, page = run.page()
    assert callback == there
    site.tiktok_sim("options", {"redirect_url": there})
    run.types(decide(page, "authorise"))
    assert run.end()[0] == 0


# -- installs from an app store, without state


@pytest.mark.parametrize(("answer", "ends"), [("y", 0), ("n", 1)])
def test_answer_without_state_is_taken_only_where_asked_for_and_confirmed(
    site: Site, connecting: Any, answer: str, ends: int
) -> None:
    site.tiktok_sim("options", {"consent_state": "left_out"})
    run = connecting("shop", "--port", "0", "--accept-app-store", stdin=subprocess.PIPE)
    consent(site, run)
    run.types(answer)
    code, _, err = run.end()
    assert code == ends, err
    assert ("state-wrong" in err) is (ends == 1)


def test_answer_without_state_names_the_option_that_takes_it(site: Site, connecting: Any) -> None:
    site.tiktok_sim("options", {"consent_state": "left_out"})
    run = connecting("shop", "--port", "0")
    consent(site, run)
    code, _, err = run.end()
    assert code == 1
    assert "--accept-app-store" in err


# -- consent anew, and shared


def test_new_consent_keeps_every_cursor_and_order(site: Site, connecting: Any, hub: Hub) -> None:
    run = connecting("shop", "--port", "0")
    consent(site, run)
    assert run.end()[0] == 0
    ref = site.order(on_hold=False, create_time=1_772_452_800 - 2 * HOUR)
    assert hub("sync").code == 0
    before = cursors(site.folder / "hub.db")
    assert before["orders"] is not None
    site.tiktok_sim("authorisation", {"action": "deauthorise"})
    assert hub("sync").code == 1
    again = connecting("shop", "--port", "0")
    consent(site, again)
    assert again.end()[0] == 0
    assert cursors(site.folder / "hub.db") == before
    assert hub("sync").code == 0
    assert len(site.sales_orders()) == 1
    assert hub("order", ref, "--json").json["brief"]["fate"] == "placed"


def cursors(database: Path) -> dict[str, Any]:
    store = open_store(str(database))
    try:
        with store.read() as tx:
            assert orders.counts(tx)
            return {name: known.cursor(tx, "shop", name)[0] for name in ("orders", "locations")}
    finally:
        store.close()


def test_one_consent_serves_several_connections(site: Site, connecting: Any, hub: Hub) -> None:
    first = site.tiktok.settings()["shop"]
    shops = [{"id": first, "region": "US"}, {"id": "7495000000000000002", "name": "Second", "region": "GB"}]
    site.tiktok_sim("seed", {"shops": shops})
    second = route_file(site).split("  shop:\n")[1].split("  factory:")[0].replace("${SHOP}", '"7495000000000000002"')
    text = route_file(site).replace("  factory:", f"  second:\n{second}  factory:")
    text = text.replace("timing:", "  - {name: gb, channel: second, erp: factory, fulfillments: {enabled: false}, "
                        "inventory: {enabled: false}}\ntiming:")  # fmt: skip
    (site.folder / "routes.yaml").write_text(text)
    run = connecting("shop", "--port", "0", "--also", "second")
    consent(site, run)
    code, out, err = run.end()
    assert code == 0, out + err
    assert "second reaches 7495000000000000002" in out
    ran = hub("check", "--online")
    assert ran.code == 0, ran.out
    site.tiktok_sim("authorisation", {"action": "expire_access"})
    assert hub("check", "--online").code == 0
    assert site.calls("tiktok")["GET /api/v2/token/refresh"] == 1  # one pair, one renewal, for both


def test_connection_that_the_consent_does_not_reach_keeps_what_it_had(site: Site, connecting: Any, hub: Hub) -> None:
    second = route_file(site).split("  shop:\n")[1].split("  factory:")[0].replace("${SHOP}", '"7000"')
    text = route_file(site).replace("  factory:", f"  second:\n{second}  factory:")
    text = text.replace("timing:", "  - {name: gb, channel: second, erp: factory, fulfillments: {enabled: false}, "
                        "inventory: {enabled: false}}\ntiming:")  # fmt: skip
    (site.folder / "routes.yaml").write_text(text)
    run = connecting("shop", "--port", "0", "--also", "second")
    consent(site, run)
    code, out, _ = run.end()
    assert code == 1
    assert "second: the configured shop 7000 is not among them" in out
    assert "not-connected" in hub("check", "--online").out


# -- a key that the hub keeps


@pytest.fixture
def keyed(site: Site) -> Site:
    """A site whose factory's key is given to ``hub connect``."""
    text = route_file(site).replace('api_key: "${API_KEY}"', "api_key: {stored: true}")
    (site.folder / "routes.yaml").write_text(text)
    return site


def key_of(site: Site) -> str:
    return str(site.katana.settings()["api_key"])


def test_key_that_is_kept_works_without_standing_anywhere_else(keyed: Site, hub: Hub) -> None:
    missing = hub("check", "--online")
    assert missing.code == 1
    assert "secret-not-kept" in missing.err
    assert "hub connect factory" in missing.err
    ran = hub("connect", "factory", given=key_of(keyed) + "\n")
    assert ran.code == 0, ran.err
    assert "Connected factory" in ran.out
    assert hub("check").code == 0
    assert key_of(keyed) not in ran.out + ran.err
    assert key_of(keyed).encode() not in (keyed.folder / "hub.db").read_bytes()
    found = hub("locations", "factory", "--json")
    assert found.json[0]["locations"], found.err


def test_connecting_again_makes_a_new_key_where_the_old_one_is_lost(keyed: Site, hub: Hub) -> None:
    assert hub("connect", "factory", given=key_of(keyed) + "\n").code == 0
    (keyed.folder / "hub.key").unlink()
    lost = hub("locations", "factory")
    assert lost.code == 1
    assert "key-missing" in lost.err
    assert not (keyed.folder / "hub.key").exists()
    assert hub("connect", "factory", given=key_of(keyed) + "\n").code == 0
    assert hub("locations", "factory").code == 0


def test_key_that_is_refused_is_not_kept(keyed: Site, hub: Hub) -> None:
    ran = hub("connect", "factory", given="wrong-key\n")
    assert ran.code == 1
    assert "key-refused" in ran.err
    assert "Nothing was kept" in ran.err
    assert "wrong-key" not in ran.out + ran.err
    assert "secret-not-kept" in hub("locations", "factory").err


def test_empty_answer_keeps_the_key_that_is_there(keyed: Site, hub: Hub) -> None:
    assert "secret-not-given" in hub("connect", "factory", given="\n").err
    assert hub("connect", "factory", given=key_of(keyed) + "\n").code == 0
    ran = hub("connect", "factory", given="\n")
    assert ran.code == 1
    assert "nothing-to-connect" in ran.err
    assert hub("locations", "factory").code == 0


def test_key_typed_at_a_terminal_is_not_echoed(keyed: Site, hub: Hub) -> None:
    child, terminal = pty.fork()
    if child == 0:  # the command, in a terminal of its own
        os.chdir(hub.folder)
        os.execve(sys.executable, [sys.executable, "-m", "hub", "connect", "factory"], dict(hub.environ))
    shown = read_until(terminal, b"api_key: ")
    os.write(terminal, key_of(keyed).encode() + b"\n")
    shown += read_until(terminal, None)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, shown
    assert b"Connected factory" in shown
    assert key_of(keyed).encode() not in shown


def read_until(terminal: int, end: bytes | None) -> bytes:
    shown = b""
    while end is None or not shown.endswith(end):
        try:
            read = os.read(terminal, 4096)
        except OSError:  # the other side hung up
            read = b""
        if not read:
            break
        shown += read
    return shown


def test_connection_whose_key_comes_from_elsewhere_has_nothing_to_connect(site: Site, hub: Hub) -> None:
    ran = hub("connect", "factory")
    assert ran.code == 1
    assert "nothing-to-connect" in ran.err
    assert "{stored: true}" in ran.err


# -- no secret comes out


def test_no_secret_is_in_the_database_the_log_the_output_or_an_error(site: Site, connecting: Any, hub: Hub) -> None:
    """After a consent, a renewal, a refusal and a trace; the database is searched byte by byte."""
    text = route_file(site).replace("app_secret: ${APP_SECRET}", "app_secret: {stored: true}")
    (site.folder / "routes.yaml").write_text(text)
    (site.folder / "secret").write_text(site.tiktok.settings()["app_secret"] + "\n")
    with (site.folder / "secret").open() as piped:
        run = connecting("shop", "--port", "0", "--json", "--debug", stdin=piped.fileno())
        callback, page = run.page()
        site.tiktok_sim("options", {"redirect_url": callback})
        address = decide(page, "authorise")
        follow(address)
        said = [*run.end()[1:]]
    first = pairs(site)
    site.tiktok_sim("authorisation", {"action": "expire_access"})
    runs = [hub("run", "--once", "--trace", "--log", "json", "--debug"), hub("check", "--online", "--json")]
    assert site.calls("tiktok")["GET /api/v2/token/refresh"] == 1
    site.tiktok_sim("authorisation", {"action": "deauthorise"})
    runs.append(hub("sync", "--json"))
    assert "consent" in runs[-1].out + runs[-1].err
    said += [text for ran in runs for text in (ran.out, ran.err)]
    code = parse_qs(urlsplit(address).query)["code"][0]
    secrets = {site.tiktok.settings()["app_secret"], key_of(site), code} | first | pairs(site)
    assert len(secrets) >= 6
    stored = b"".join(file.read_bytes() for file in site.folder.glob("hub.db*"))
    assert b"secret:shop:app_secret" in stored  # it is the right file that is searched
    for secret in secrets:
        assert secret.encode() not in stored
        assert not [text for text in said if secret in text]


def pairs(site: Site) -> set[str]:
    """Return the pair of tokens that the hub now holds, in plain."""
    store = open_store(str(site.folder / "hub.db"))
    try:
        with store.read() as tx:
            kept = known.tokens(tx, "tiktok:shop")
    finally:
        store.close()
    assert kept is not None
    told = json.loads(Cipher({}, site.folder / "hub.key").decrypt(kept))
    return {told["access_token"], told["refresh_token"]}


# -- another system's consent


def test_partner_app_of_the_erp_is_connected_by_its_own_page(site: Site, connecting: Any, hub: Hub) -> None:
    """Katana lets the app choose where the answer goes, so nothing is fixed anywhere."""
    site.katana_sim("options", {"oauth_client_id": "app-1", "oauth_client_secret": "canary-of-the-app"})
    url = site.katana.url
    text = route_file(site).replace(
        'api_key: "${API_KEY}"', f"client_id: app-1, client_secret: {{stored: true}}, login_url: {url}"
    )
    (site.folder / "routes.yaml").write_text(text)
    (site.folder / "secret").write_text("canary-of-the-app\n")
    with (site.folder / "secret").open() as piped:
        run = connecting("factory", "--port", "0", stdin=piped.fileno())
        _, page = run.page()
        assert follow(decide(page, "accept")).status_code == 200
        code, out, err = run.end()
    assert code == 0, out + err
    assert "Before you consent" not in err
    assert "Connected factory" in out
    assert "canary" not in out + err
    assert hub("locations", "factory").code == 0
