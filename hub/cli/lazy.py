"""A click group that imports a command only when it is run, so that ``hub --help`` answers at once."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from hub.cli.options import with_common

Section = Mapping[str, tuple[str, str]]


class Listing(click.Group):
    """A group whose own arguments, where no command is named, are those of its command ``list``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in that was left out."""
        if not set(args) & {*self.commands, *ctx.help_option_names}:
            args = ["list", *args]
        return super().parse_args(ctx, args)


class LazyGroup(click.Group):
    """A group whose commands are named by place.

    Args:
        sections: for each heading of the help, ``name -> ("module:attribute", one line of help)``.
    """

    def __init__(self, *args: Any, sections: Mapping[str, Section], **options: Any) -> None:
        super().__init__(*args, **options)
        self._sections = sections
        self._places = {name: place for section in sections.values() for name, (place, _) in section.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return every command, in the order of the help."""
        return list(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None where there is no such one."""
        place = self._places.get(cmd_name)
        if place is None:
            return None
        command = _imported(place)
        if not any(parameter.name == "routes" for parameter in command.params):
            with_common(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to run; on a typo, name the nearest one."""
        if args and args[0] not in self._places and not args[0].startswith("-"):
            close = get_close_matches(args[0], self._places, n=1)
            guess = f"Did you mean '{close[0]}'?" if close else "'hub --help' lists the commands."
            ctx.fail(f"There is no command '{args[0]}'. {guess}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands section by section, without importing one."""
        width = max(map(len, self._places))
        for heading, section in self._sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), text) for name, (_, text) in section.items()])


def _imported(place: str) -> click.Command:
    module, _, attribute = place.partition(":")
    gc.disable()  # what an import makes stays: looking for garbage meanwhile takes a tenth of its time
    try:
        command: click.Command = getattr(import_module(module), attribute)
    finally:
        gc.enable()
    return command
