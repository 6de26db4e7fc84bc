"""Many rows with one statement: it is prepared once, not looked at anew for every row as SQLAlchemy would."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from hub.store.database import Tx


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement in the words of one database; ``slots`` are its parameters, and what makes values the driver's."""

    text: str
    slots: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    positional: bool

    def filled(self, row: Mapping[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        values = [row[name] if convert is None else convert(row[name]) for name, convert in self.slots]
        if self.positional:
            return tuple(values)
        return {name: value for (name, _), value in zip(self.slots, values, strict=True)}


@lru_cache(maxsize=256)
def _prepared(statement: sa.Insert | sa.Update, names: tuple[str, ...], dialect: sa.Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    types = {name: compiled.binds[name].type.dialect_impl(dialect) for name in compiled.positiontup or names}
    slots = tuple((name, kind.bind_processor(dialect)) for name, kind in types.items())
    return _Prepared(str(compiled), slots, compiled.positional)


def many(tx: Tx, statement: sa.Insert | sa.Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a statement for each row; every row names the same parameters, and the statement no value of its own.

    ``statement`` should live as long as the program: what was prepared is found again by it.
    """
    if rows:
        prepared = _prepared(statement, tuple(rows[0]), tx.dialect)
        tx.exec_driver_sql(prepared.text, [prepared.filled(row) for row in rows])
