"""``hub backup``: a copy of the database, made while others work on it."""

from __future__ import annotations

from pathlib import Path

import click

from hub.cli import show
from hub.cli.database import ledger, say
from hub.cli.options import Choices
from hub.contract import HubError


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(choices: Choices, file: Path) -> None:
    """Copy the SQLite database into FILE, whole, also while the hub runs; never overwrites one."""
    from hub.store.backup import backup as copy

    with ledger(choices, as_it_is=True) as store:
        if store.is_shared:
            raise HubError(
                "backup-elsewhere",
                "hub backup copies SQLite files; this database is on a server",
                where=f"database {store.label}",
                do="Use the server's own, not older than the server: pg_dump --format=custom --no-owner "
                "--exclude-schema='lanes_*' --file=FILE DATABASE",
            )
        try:
            size = copy(store, file)
        except FileExistsError:
            do = "Name another; backups are not overwritten."
            raise HubError("file-exists", "there is a file already", where=str(file), do=do) from None
    if choices.json:
        show.print_json({"file": str(file), "bytes": size, "key": str(choices.key_file)})
        return
    click.echo(f"Copied the database to {file} ({size / 1e6:,.1f} MB), and checked the copy.")
    say(
        f"What else belongs to a backup, kept apart from it: {choices.key_file} (or HUB_KEY), the route file, and the "
        "secrets that it takes from the environment."
    )
