"""``hub hold`` and ``hub retry``: what a person decides about an order."""

from __future__ import annotations

import click

from hub.cli import show
from hub.cli.database import ledger, say
from hub.cli.opening import opened_world
from hub.cli.options import Choices
from hub.cli.present import now_of
from hub.engine import hand
from hub.engine import retry as retrying
from hub.engine.hand import Handled

SOON = "a running hub picks it up within half a minute, hub sync at once"
_connection = click.option("--connection", help="The channel connection, where several have an order of this id.")


@click.group()
def hold() -> None:
    """Hold an order by hand, or release it."""


@hold.command()
@click.argument("ref")
@click.option("--reason", help="Why; shown by hub order. Not a place for a buyer's data.")
@_connection
@click.pass_obj
def add(choices: Choices, ref: str, reason: str | None, connection: str | None) -> None:
    """Keep the order REF from leaving until it is released. Refused once its sales order exists."""
    with ledger(choices) as store:
        _tell(choices, [hand.hold(store, ref, now_of(choices), reason=reason, connection=connection)])


@hold.command()
@click.argument("ref")
@_connection
@click.pass_obj
def release(choices: Choices, ref: str, connection: str | None) -> None:
    """Let the order REF go: ends a hold by hand and the route's own, never the channel's."""
    with ledger(choices) as store:
        _tell(choices, [hand.release(store, ref, now_of(choices), connection=connection)])
    say(SOON)


@click.command()
@click.argument("ref", required=False)
@click.option("--blocked", is_flag=True, help="Retry every blocked order.")
@click.option("--settled", is_flag=True, help="Say that a person has settled it by hand on both sides.")
@_connection
@click.pass_obj
def retry(choices: Choices, ref: str | None, blocked: bool, settled: bool, connection: str | None) -> int:
    """Try the blocked order REF again now: its sales order, its shipments, its cancellation, its returns.

    With --settled the hub does nothing more about what it found: a refused parcel is not told, a change counts as
    handled, a cancelled order is closed. Where the route leaves changes of a placed order to a person (on_change:
    block), a retry says that you have mended its sales order.
    """
    if (ref is None) != blocked or (blocked and settled):
        raise click.UsageError("Name an order, or give --blocked for all.")
    with ledger(choices) as store:
        if ref is None:
            again, alone = retrying.retry_blocked(store, now_of(choices))
            _tell(choices, [*again, *alone])
            say(f"{len(again)} to be looked at again; {SOON}")
            return int(bool(alone))
        if settled:
            _tell(choices, [retrying.settle(store, ref, now_of(choices), connection=connection)])
            return 0
        if not retrying.needs_routes(store, ref, connection):
            _tell(choices, [retrying.retry(store, ref, now_of(choices), connection=connection)])
            say(SOON)
            return 0
    with opened_world(choices) as world:
        _tell(choices, [retrying.retry_after(world, ref, connection=connection)])
    say(SOON)
    return 0


def _tell(choices: Choices, handled: list[Handled]) -> None:
    if choices.json:
        show.print_json(handled)
        return
    rows = [(each.ref, show.fate_text(each.fate, each.cause), each.says) for each in handled]
    show.console().print(show.table(("order", "fate", ""), rows))
