"""Opens the ledger for commands that ask nobody else; they work whatever is wrong with the route file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from hub.cli.options import Choices
from hub.contract import HubError
from hub.store import Store, open_store


def say(text: str) -> None:
    """Print one line of talk, on stderr."""
    click.echo(text, err=True)


def open_database(choices: Choices, *, must_exist: bool = False, as_it_is: bool = False) -> Store:
    """Open the ledger.

    Args:
        must_exist: refuse where there is none yet, instead of making an empty one.
        as_it_is: whatever version its tables have.
    """
    file = choices.database_file
    if must_exist and file is not None and not file.exists():
        raise HubError(
            "database-missing",
            "there is no database yet",
            where=str(file),
            do="Run hub sync first, or say where the database is with --database.",
        )
    return open_store(choices.database_url, as_it_is=as_it_is)


@contextmanager
def ledger(choices: Choices, *, as_it_is: bool = False) -> Iterator[Store]:
    """Open the ledger that is there, for commands that ask nobody else."""
    store = open_database(choices, must_exist=True, as_it_is=as_it_is)
    try:
        yield store
    finally:
        store.close()
