"""``hub locations``: where goods are, as each connection tells it, and which routes name it."""

from __future__ import annotations

import click

from hub.cli import show
from hub.cli.database import say
from hub.cli.failure import facts_of
from hub.cli.failure import show as show_failure
from hub.cli.opening import opened_world
from hub.cli.options import Choices
from hub.config.faults import listing, nearest
from hub.contract import HubError
from hub.engine.online import Examined, list_places


@click.command()
@click.argument("connection", required=False)
@click.pass_obj
def locations(choices: Choices, connection: str | None) -> int:
    """List every location of CONNECTION, or of all; what routes may name."""
    with opened_world(choices) as world:
        if connection is not None and connection not in world.connected:
            do = f"{nearest(connection, world.connected)}Connections: {listing(world.connected)}."
            what = f"there is no connection {connection!r}"
            raise HubError("connection-unknown", what, where=str(world.config.path), do=do)
        found = list_places(world, connection)
    if choices.json:
        show.print_json([_facts(each) for each in found])
    else:
        rows = [
            (
                each.connection,
                place.name + (" (default)" if place.is_default else ""),
                place.ref,
                place.kind.value,
                "yes" if place.usable else "no",
                ", ".join(each.named_by.get(place.ref, ())),
            )
            for each in found
            for place in each.locations
        ]
        show.console().print(show.table(("connection", "name", "id", "kind", "usable", "named by routes"), rows))
    for each in found:
        if each.error is not None and not choices.json:
            show_failure(facts_of(each.error))
        elif not each.locations:
            say(f"note: {each.connection} tells of no location")
    return int(any(each.error is not None for each in found))


def _facts(each: Examined) -> dict[str, object]:
    return {
        "connection": each.connection,
        "locations": [
            {**place.model_dump(), "named_by": list(each.named_by.get(place.ref, ()))} for place in each.locations
        ],
        "error": None if each.error is None else facts_of(each.error),
    }
