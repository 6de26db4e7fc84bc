"""Many rows with one statement: it is prepared once, not looked at anew for every row as SQLAlchemy would."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from hub.store.database import Tx


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A statement in the words of one database.

    Attributes:
        names: of its parameters.
        values: of a row, one for each parameter.
        converted: by place, what makes a value the driver's.
    """

    text: str
    names: tuple[str, ...]
    values: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    converted: tuple[tuple[int, Callable[[Any], Any]], ...]
    positional: bool

    def filled(self, row: Mapping[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        values = list(self.values(row))
        for place, convert in self.converted:
            values[place] = convert(values[place])
        return tuple(values) if self.positional else dict(zip(self.names, values, strict=True))


@lru_cache(maxsize=256)
def _prepared(statement: sa.Insert | sa.Update, names: tuple[str, ...], dialect: sa.Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=list(names))
    used = tuple(compiled.positiontup or names)
    processors = [compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in used]
    converted = tuple((place, each) for place, each in enumerate(processors) if each is not None)
    return _Prepared(str(compiled), used, _getter(used), converted, compiled.positional)


def _getter(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) == 1:  # of one name it returns no tuple
        return lambda row: (row[names[0]],)
    return itemgetter(*names)


def many(tx: Tx, statement: sa.Insert | sa.Update, rows: Sequence[Mapping[str, Any]]) -> None:
    """Execute a statement for each row; every row names the same parameters, and the statement no value of its own.

    ``statement`` should live as long as the program: what was prepared is found again by it.
    """
    if rows:
        prepared = _prepared(statement, tuple(rows[0]), tx.dialect)
        tx.exec_driver_sql(prepared.text, [prepared.filled(row) for row in rows])
