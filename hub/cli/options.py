"""The options that every command takes, before its name or after it. Imports nothing slow."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

ROUTES_VARIABLE, DATABASE_VARIABLE = "HUB_ROUTES", "HUB_DATABASE"
C = TypeVar("C", bound=Callable[..., Any])


@dataclass(slots=True)
class Choices:
    """What the operator chose for this call of the hub."""

    routes: str | None = None
    database: str | None = None
    json: bool = False
    debug: bool = False
    log_json: bool = False  # what goes to stderr is JSON, one object a line

    @property
    def route_file(self) -> Path:
        """The route file: the option, the environment, or routes.yaml here."""
        return Path(self.routes or os.environ.get(ROUTES_VARIABLE) or "routes.yaml")

    @property
    def database_url(self) -> str:
        """The database: the option, the environment, or hub.db beside the route file."""
        return self.database or os.environ.get(DATABASE_VARIABLE) or str(self.route_file.parent / "hub.db")

    @property
    def database_file(self) -> Path | None:
        """The database's file; None where it is on a server."""
        url = self.database_url
        if url.startswith("sqlite:///"):
            return Path(url.removeprefix("sqlite:///"))
        return None if "://" in url else Path(url)

    @property
    def key_file(self) -> Path:
        """Where the encryption key lies: beside the database's file, else beside the route file."""
        return (self.database_file or self.route_file).parent / "hub.key"


def _remember(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    choices = context.ensure_object(Choices)
    if value and parameter.name is not None:
        setattr(choices, parameter.name, value)


def _options() -> Iterable[click.Option]:
    yield click.Option(
        ["--routes"], metavar="FILE", expose_value=False, callback=_remember,
        help=f"The route file; else ${ROUTES_VARIABLE}, else routes.yaml.",
    )  # fmt: skip
    yield click.Option(
        ["--database"], metavar="FILE|URL", expose_value=False, callback=_remember,
        help=f"SQLite file or postgresql:// URL; else ${DATABASE_VARIABLE}, else hub.db beside the route file.",
    )  # fmt: skip
    yield click.Option(
        ["--json"], is_flag=True, expose_value=False, callback=_remember, help="Print the result as JSON."
    )
    yield click.Option(
        ["--debug"], is_flag=True, expose_value=False, callback=_remember,
        help="Show tracebacks and everything that is logged.",
    )  # fmt: skip


def with_common(command: click.Command) -> click.Command:
    """Give a command, and the commands below it, the options that every command takes."""
    command.params.extend(_options())
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_common(below)
    return command
