"""``hub connect``: a person's consent, or a key asked for without echo, becomes what a connection works with."""

from __future__ import annotations

import os
from typing import Any

import click

from hub.cli.consent import PORT, Way, ask_for_consent, listening
from hub.cli.database import open_database
from hub.cli.opening import log_for_people, read_routes, warn
from hub.cli.options import Choices
from hub.cli.reached import tell
from hub.cli.secret_prompt import ask_for_secrets
from hub.config import Config
from hub.config.faults import listing, nearest
from hub.config.times import span_s
from hub.contract import AuthorizationError, HubError
from hub.engine.connect import Reach, adopt, consent_page, reach_of, share
from hub.engine.world import Connected, World, build
from hub.host.callback import callback_url, new_state


def _in_seconds(context: click.Context, parameter: click.Parameter, value: str) -> float:
    seconds = span_s(value)
    if not seconds:
        raise click.BadParameter(f"{value!r} is no time; write it like 90s or 10m", context, parameter)
    return seconds


@click.command()
@click.argument("connection")
@click.option("--also", multiple=True, metavar="ID", help="A further connection that uses this consent; repeatable.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True,
              help="The port of this machine that the answer comes to; 0 takes a free one.")  # fmt: skip
@click.option("--redirect-url", metavar="URL", help="The app's redirect address, where it leads elsewhere; then paste.")
@click.option("--no-browser", is_flag=True, help="Open no page and wait on no port: paste the address it leads to.")
@click.option("--timeout", default="10m", metavar="TIME", callback=_in_seconds, show_default=True,
              help="How long to wait for the answer, as 90s or 10m.")  # fmt: skip
@click.option("--accept-app-store", is_flag=True,
              help="Take an answer without state, as an install from an app store gives it; asks first.")  # fmt: skip
@click.pass_obj
def connect(choices: Choices, /, connection: str, also: tuple[str, ...], **way: Any) -> int:
    """Connect CONNECTION: by a person's consent, or by a key that is asked for and kept encrypted."""
    log_for_people(debug=choices.debug)
    config, found = read_routes(choices)
    warn(choices, config)
    for id_ in (connection, *also):
        _check_known(config, id_, connection)
    store = open_database(choices)
    try:
        given = ask_for_secrets(config.connections[connection], store)
        world = build(
            config, found, store, environ=os.environ, key_file=choices.key_file, given={connection: given},
            only=(connection, *also),
        )  # fmt: skip
    except BaseException:
        store.close()
        raise
    try:
        connected = world.connected[connection]
        reached = _connect(world, connected, [world.connected[id_] for id_ in also], given, Way(**way))
        tell(choices, connected, reached)
        return int(not all(each.ok for each in reached))
    finally:
        world.close()


def _connect(
    world: World, connected: Connected, others: list[Connected], given: dict[str, str], way: Way
) -> list[Reach]:
    """Get a consent where the connector has such a thing, else prove the key; only then keep what was given."""
    has_consent = consent_page(world, connected, new_state(), callback_url(PORT)) is not None
    if has_consent:
        _consent(world, connected, way)
    elif not given:
        raise _nothing_to_ask(world.config, connected.id)
    elif others:
        what, do = f"{connected.id} has no consent to share", "Leave --also out; connect each by its own key."
        raise HubError("consent-not-used", what, where="hub connect --also", do=do)
    reach = reach_of(world, connected)
    if not has_consent and not (reach.accounts or reach.ok):
        finding = next(each for each in reach.findings if not each.ok)
        raise AuthorizationError("key-refused", finding.what, where=connected.id, do=f"{finding.do} Nothing was kept.")
    if given:
        world.vault.keep_secrets(connected.id, given)
    return [reach, *share(world, connected, others)]


def _consent(world: World, connected: Connected, way: Way) -> None:
    state = new_state()
    with listening(way) as (answers, redirect):
        page = consent_page(world, connected, state, redirect)
        if page is not None:
            code = ask_for_consent(connected, page, state, redirect, answers, way)
            adopt(world, connected, code, redirect)


def _check_known(config: Config, id_: str, like: str) -> None:
    known = config.connections
    if id_ not in known:
        what, do = f"there is no connection {id_!r}", f"{nearest(id_, known)}Connections: {listing(known)}."
        raise HubError("connection-unknown", what, where=str(config.path), do=do)
    if known[id_].connector != known[like].connector:
        what = f"{id_} speaks to {known[id_].connector}, {like} to {known[like].connector}"
        raise HubError("connection-unlike", what, where="hub connect --also", do="One consent is for one system only.")


def _nothing_to_ask(config: Config, id_: str) -> HubError:
    secrets = ", ".join(sorted(config.connections[id_].settings.model_fields_set)) or "none"
    what = f"{id_} takes its secrets from the environment or a file (its settings: {secrets})"
    do = "Nothing is to be done: hub check --online. To have the hub keep a secret, write SETTING: {stored: true}."
    return HubError("nothing-to-connect", what, where=str(config.path), do=do)
