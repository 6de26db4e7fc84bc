"""How results look: tables for people, JSON for programs, ages, fates in their colours."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import click
from pydantic import BaseModel
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

PIPED_WIDTH = 140
GAP = 2
SHORT, TEXT = 12, 24  # what is as short never wraps; a text, which a table ends in, has at least as much room
FATE_STYLE = {
    "held": "yellow",
    "ready": "cyan",
    "placed": "green",
    "partly-fulfilled": "green",
    "fulfilled": "green",
    "skipped": "bright_black",
    "cancelled": "bright_black",
    "blocked": "bold red",
}
Cell = str | Text | int | None


def console(*, stderr: bool = False) -> Console:
    """Return a console that takes every text as it is; piped output is not cut at 80 columns."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[Cell]], *, right: Sequence[str] = (), headed: bool = True
) -> RenderableType:
    """Return a table; columns named in ``right`` are numbers, aligned to the right; no id and no number is cut."""
    texts = [
        [cell if isinstance(cell, Text) else Text("" if cell is None else clean(str(cell))) for cell in row]
        for row in rows
    ]
    return _Table(headings, texts, right, headed)


@dataclass(frozen=True, slots=True)
class _Table:
    """As wide as its terminal allows: words stay whole, texts wrap; what is too wide for columns goes row by row."""

    headings: Sequence[str]
    rows: Sequence[Sequence[Text]]
    right: Sequence[str]
    headed: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = self._widths(options.max_width)
        if widths is None:
            yield from self._row_by_row()
            return
        made = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold", show_header=self.headed)
        for heading, width in zip(self.headings, widths, strict=True):
            justify: JustifyMethod = "right" if heading in self.right else "left"
            made.add_column(heading, justify=justify, width=width, overflow="fold")
        for row in self.rows:
            made.add_row(*row)
        yield made

    def _widths(self, room: int) -> list[int] | None:
        """Return how wide each column is; None where they do not fit beside each other."""
        most, least = [], []
        for at, heading in enumerate(self.headings):
            cells = [row[at] for row in self.rows] + ([Text(heading)] if self.headed else [])
            most.append(max((cell_len(line) for cell in cells for line in cell.plain.split("\n")), default=0))
            is_last = at == len(self.headings) - 1
            if most[-1] <= SHORT or heading in self.right:
                least.append(most[-1])
            else:
                least.append(min(max(map(_longest_word, cells)), TEXT if is_last else room))
        left = room - sum(least) - GAP * len(least)
        if left < 0:
            return None
        for done, at in enumerate(sorted(range(len(least)), key=lambda at: most[at] - least[at])):
            more = min(most[at] - least[at], left // (len(least) - done))
            least[at] += more
            left -= more
        return least

    def _row_by_row(self) -> Iterator[Text]:
        for row in self.rows:
            for at, (heading, cell) in enumerate(zip(self.headings, row, strict=True)):
                if cell.plain.strip():
                    name = f"  {heading.strip()}: " if at and heading.strip() else "  " * bool(at)
                    yield Text.assemble((name, "bold"), cell)
            yield Text()


def _longest_word(text: Text) -> int:
    indent = len(text.plain) - len(text.plain.lstrip())
    return indent + max(map(cell_len, text.plain.split()), default=0)


def fate_text(fate: str, cause: str | None = None) -> Text:
    """Return a fate in its colour, with its cause."""
    return Text(f"{fate} ({cause})" if cause else fate, style=FATE_STYLE.get(fate, ""))


def clean(text: str) -> str:
    """Return text from outside without what would steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def age(at: datetime | None, now: datetime) -> str:
    """Return how long ago an instant is, or in how long it comes, in its largest unit or two."""
    if at is None:
        return ""
    seconds = round((now - at).total_seconds())
    past, seconds = seconds >= 0, abs(seconds)
    for size, unit, small, lesser in ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            rest = seconds % size // small
            text = f"{seconds // size}{unit}" + (f" {rest}{lesser}" if rest and unit != "m" else "")
            break
    else:
        text = f"{seconds}s"
    return text if past else f"in {text}"


def instant(at: datetime | None) -> str:
    """Return an instant as people read it, in UTC."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout."""
    click.echo(json.dumps(plain(value), indent=2, ensure_ascii=False))


def number(value: Decimal) -> str:
    """Return a number without trailing zeros."""
    return f"{value.normalize():f}"


def money(value: Decimal) -> str:
    """Return an amount with at least two places; more only where it has more."""
    short = value.normalize()
    exponent = short.as_tuple().exponent
    return f"{short:f}" if isinstance(exponent, int) and exponent < -2 else f"{value:.2f}"
