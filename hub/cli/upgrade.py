"""``hub upgrade``: the tables of an earlier version, brought forward."""

from __future__ import annotations

import click

from hub.cli import show
from hub.cli.database import ledger, say
from hub.cli.options import Choices
from hub.store import Store
from hub.store.forward import bring_forward

NO_COPY = "no copy is made of a PostgreSQL database: pg_dump makes one; a failed upgrade changes nothing"


@click.command()
@click.option("--force", is_flag=True, help="PostgreSQL: go on although workers seem to live, because you know better.")
@click.pass_obj
def upgrade(choices: Choices, force: bool) -> None:
    """Bring the tables of an earlier version of the hub forward; again does nothing.

    Stop every hub on this database first; it is refused while one works. A SQLite database is copied beside itself
    before. It all happens in one transaction: where it fails, nothing has changed.
    """
    with ledger(choices, as_it_is=True) as store:
        if store.is_shared:
            say(NO_COPY)
        moved = bring_forward(store, force=force, tell=say)
        if store.is_shared:
            _prepare_lanes(store)
    if choices.json:
        copy = None if moved.copy is None else str(moved.copy)
        show.print_json({"from": moved.before, "to": moved.after, "copy": copy})
    elif moved.before == moved.after:
        click.echo(f"The tables have version {moved.after} already.")
    elif moved.before is None:
        click.echo(f"Made the tables, version {moved.after}.")
    else:
        click.echo(f"Upgraded the tables from version {moved.before} to {moved.after}.")


def _prepare_lanes(store: Store) -> None:
    """Make the tables of procrastinate's version that is installed now."""
    import asyncio

    from hub.daemon import distributed  # needs what only the extra "postgres" installs

    async def prepare() -> None:
        app = distributed.app_of(store.conninfo())
        async with app.open_async():
            await distributed.prepare(app)

    asyncio.run(prepare())
