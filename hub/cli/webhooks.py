"""``hub webhooks``: what the other sides deliver to the hub, asked for and taken back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import click

from hub.cli import show
from hub.cli.database import say
from hub.cli.failure import facts_of
from hub.cli.failure import show as show_failure
from hub.cli.lazy import Listing
from hub.cli.opening import opened_world
from hub.cli.options import Choices
from hub.config.faults import listing, nearest
from hub.contract import ConfigurationError, HubError
from hub.engine import subscribe
from hub.engine.subscribe import Delivered
from hub.engine.world import World

SEE = "docs/operating.md, Webhooks"


@click.group(cls=Listing)
def webhooks() -> None:
    """List what each connection delivers to the hub: hub webhooks [ID...].

    A webhook only makes the hub look early. Without any, it finds everything by asking, later.
    """


@webhooks.command("list")
@click.argument("connections", nargs=-1, metavar="[ID]...")
@click.pass_obj
def list_(choices: Choices, connections: tuple[str, ...]) -> int:
    """List what is delivered where, and whether all of it arrives here."""
    with opened_world(choices) as world:
        found = subscribe.survey(world, _named(world, connections))
    if choices.json:
        show.print_json([_facts(each) for each in found])
    else:
        rows = [row for each in found for row in _rows(each)]
        show.console().print(show.table(("connection", "delivers to", "events", ""), rows))
        for each in found:
            if each.error is not None:
                show_failure(facts_of(each.error))
    return int(any(each.error is not None for each in found))


@webhooks.command()
@click.argument("connections", nargs=-1, metavar="[ID]...")
@click.option(
    "--url",
    envvar="HUB_PUBLIC_URL",
    show_envvar=True,
    required=True,
    metavar="URL",
    help="Where the hub is reached from outside, such as https://hub.example.com.",
)
@click.pass_obj
def register(choices: Choices, connections: tuple[str, ...], url: str) -> int:
    """Have each connection ID, or all that can, deliver to URL/webhooks/ID; again, it mends what is missing.

    The daemon does the same once a day by itself, from then on.
    """
    _check(url)
    facts: list[dict[str, Any]] = []
    with opened_world(choices) as world:
        for id_ in _able(world, connections):
            at = subscribe.url_at(url, id_)
            try:
                found = subscribe.register(world, world.connected[id_], at)
            except HubError as error:
                facts.append({"connection": id_, "url": at, "events": [], "error": facts_of(error)})
            else:
                events = sorted(each.event for each in found if each.url == at)
                facts.append({"connection": id_, "url": at, "events": events, "error": None})
    if choices.json:
        show.print_json(facts)
    else:
        _tell_registered(facts, url)
    return int(any(each["error"] is not None for each in facts))


@webhooks.command()
@click.argument("connections", nargs=-1, metavar="[ID]...")
@click.pass_obj
def remove(choices: Choices, connections: tuple[str, ...]) -> int:
    """Have each connection ID, or all, deliver nothing to the hub any more; it goes on asking."""
    failed = False
    done: list[dict[str, Any]] = []
    with opened_world(choices) as world:
        for id_ in _able(world, connections):
            try:
                subscribe.remove(world, world.connected[id_])
            except HubError as error:
                failed = True
                done.append({"connection": id_, "removed": False, "error": facts_of(error)})
                if not choices.json:
                    show_failure(facts_of(error))
            else:
                done.append({"connection": id_, "removed": True, "error": None})
                if not choices.json:
                    click.echo(f"{id_} delivers nothing to the hub any more; it is asked as often as before.")
    if choices.json:
        show.print_json(done)
    return int(failed)


def _named(world: World, ids: Sequence[str]) -> list[str]:
    for id_ in ids:
        if id_ not in world.connected:
            do = f"{nearest(id_, world.connected)}Connections: {listing(world.connected)}."
            raise HubError("connection-unknown", f"there is no connection {id_!r}", where=str(world.config.path), do=do)
    return list(dict.fromkeys(ids)) or list(world.connected)


def _able(world: World, ids: Sequence[str]) -> Iterator[str]:
    """Yield the Connections that can deliver; the others are told of."""
    for id_ in _named(world, ids):
        if world.connected[id_].capabilities >= subscribe.NEEDS:
            yield id_
        else:
            say(f"note: {id_} has no webhooks that the hub can read; it is asked as often as before")


def _check(url: str) -> None:
    """Refuse an address that nobody outside could deliver to in secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme == "https" and host and not parts.query and not parts.fragment and not parts.username:
        return
    if parts.scheme == "http" and port and _is_here(host):
        return  # a simulator on this machine
    raise ConfigurationError(
        "webhook-url",
        "the hub's address from outside must be an https URL, without user, query or fragment",
        where="--url or HUB_PUBLIC_URL",
        do=f"Give an address such as https://hub.example.com; how it leads to the hub: {SEE}.",
    )


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tell_registered(facts: Sequence[dict[str, Any]], url: str) -> None:
    done = [each for each in facts if each["error"] is None]
    for each in done:
        click.echo(f"{each['connection']} delivers {len(each['events'])} events to {each['url']}")
    for each in facts:
        if each["error"] is not None:
            show_failure(each["error"])
    if done:
        base = url.rstrip("/")
        click.echo(
            f"Still to do, where it is not done yet ({SEE}):\n"
            "  1. hub run --listen 127.0.0.1:8080\n"
            f"  2. a reverse proxy that answers {base} with a valid certificate and passes {base}/webhooks/ on to it\n"
            "The daemon renews the registration once a day."
        )


def _rows(each: Delivered) -> Iterator[tuple[str, str, str, str]]:
    if not each.can:
        yield each.connection, "", "", "has no webhooks; it is asked every so often"
    elif each.error is not None:
        yield each.connection, "", "", "did not say"
    else:
        if each.wish is None:
            yield each.connection, "", "", "not registered: hub webhooks register"
        elif each.missing:
            says = f"{len(each.missing)} missing ({', '.join(each.missing)}): hub webhooks register"
            yield each.connection, each.wish.url, str(len(each.ours)), says
        else:
            yield each.connection, each.wish.url, str(len(each.ours)), "complete"
        for url, events in each.elsewhere.items():
            yield each.connection, url, str(len(events)), "not the hub's"


def _facts(each: Delivered) -> dict[str, Any]:
    return {
        "connection": each.connection,
        "can": each.can,
        "url": each.wish.url if each.wish else None,
        "events": each.ours,
        "missing": each.missing,
        "complete": bool(each.ours) and not each.missing,
        "elsewhere": [{"url": url, "events": sorted(events)} for url, events in each.elsewhere.items()],
        "error": None if each.error is None else facts_of(each.error),
    }
