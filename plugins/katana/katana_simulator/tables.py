"""Rows kept by id, with look-ups by the fields that creates and filters ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from katana_simulator.exchange import Row


class Table:
    """Rows in order of creation; a deleted row stays, with `deleted_at` set.

    Indexed fields, and what somebody is told of (news.py), must be changed through `change`, never in the row itself.
    `before` holds what each touched row was, None for a new one; it is None itself while nobody asks.
    """

    def __init__(self, *indexed: str, first_id: int = 1) -> None:
        self.rows: dict[int, Row] = {}
        self._next_id = first_id
        self._indexes: dict[str, dict[Any, list[Row]]] = {name: {} for name in indexed}
        self.before: dict[int, Row | None] | None = None

    def add(self, row: Row) -> Row:
        row["id"] = self._next_id
        self._next_id += 1
        self.rows[row["id"]] = row
        for name, index in self._indexes.items():
            index.setdefault(row.get(name), []).append(row)
        if self.before is not None:
            self.before[row["id"]] = None
        return row

    def change(self, row: Row, values: Row) -> None:
        if self.before is not None:
            self.before.setdefault(row["id"], dict(row))
        for name, value in values.items():
            index = self._indexes.get(name)
            if index is not None and row.get(name) != value:
                index[row.get(name)].remove(row)
                index.setdefault(value, []).append(row)
            row[name] = value

    def live(self, number: Any) -> Row | None:
        """The row of that id, unless there is none or it is deleted."""
        row = self.rows.get(number)
        return None if row is None or row.get("deleted_at") else row

    def is_indexed(self, field: str) -> bool:
        return field in self._indexes or field == "id"

    def where(self, field: str, values: Iterable[Any]) -> list[Row]:
        """Rows whose indexed field has one of the values, deleted ones included, newest first."""
        if field == "id":
            found = [self.rows[value] for value in set(values) if value in self.rows]
        else:
            index = self._indexes[field]
            found = [row for value in dict.fromkeys(values) for row in index.get(value, ())]
        found.sort(key=lambda row: row["id"], reverse=True)
        return found

    def first(self, field: str, value: Any) -> Row | None:
        """The oldest live row with that value in an indexed field."""
        for row in self._indexes[field].get(value, ()):
            if not row.get("deleted_at"):
                return row
        return None

    def each(self, field: str, value: Any) -> list[Row]:
        """Live rows with that value in an indexed field, oldest first."""
        return [row for row in self._indexes[field].get(value, ()) if not row.get("deleted_at")]

    def newest_first(self) -> Iterator[Row]:
        return reversed(self.rows.values())
