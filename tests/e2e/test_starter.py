"""What the other tests here rest on: a forked command is like one that Python was started for."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Hub
from tests.site import HOUR, Site


@pytest.mark.parametrize("arguments", [("--version",), ("check",), ("sync", "--json"), ("orders",), ("ordres",), ()])
def test_forked_command_says_what_one_started_anew_says(site: Site, hub: Hub, arguments: tuple[str, ...]) -> None:
    site.order(on_hold=False)
    site.advance(2 * HOUR)
    assert hub("sync").code == 0
    assert hub(*arguments) == Hub(site.folder, site.environ())(*arguments)


def test_forked_commands_know_nothing_of_each_other(hub: Hub) -> None:
    assert "API_KEY is empty" in hub("check", API_KEY="").err
    assert hub("check").code == 0
