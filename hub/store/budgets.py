"""Request budgets, shared by all processes of a database, and what each kind of work cost in calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa

from hub.store.database import Store, Tx, explain
from hub.store.tables import EPOCH, MILLISECOND, budgets, costs

T = TypeVar("T")
Window = tuple[list[list[int]], int]  # [[from, until, calls], ...], closed until: in milliseconds since 1970
LATELY = 200.0  # so many effects are remembered of each kind of work

_OF_KEY = sa.select(budgets.c.taken, budgets.c.closed_until).where(budgets.c.key == sa.bindparam("of"))
_SET = sa.update(budgets).where(budgets.c.key == sa.bindparam("of"))
_SET = _SET.values(taken=sa.bindparam("b_taken"), closed_until=sa.bindparam("b_closed"))


class StoredLedger:
    """Budgets as all processes see them; each change is one short transaction that holds no other row."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def change(self, key: str, change: Callable[[Any], tuple[Any, T]]) -> T:
        """Read a budget, let ``change`` decide, and keep what it returns (None: nothing changed), all in one.

        Raises:
            HubError: the database cannot be written.
        """
        with self._alone(key) as (tx, window):
            changed, result = change(window)
            if changed is not None:
                taken, closed = changed
                tx.execute(_SET, {"of": key, "b_taken": taken, "b_closed": _instant(closed)})
        return result

    @contextmanager
    def _alone(self, key: str) -> Iterator[tuple[Tx, Window]]:
        if not self._store.is_shared:
            with self._store.write() as tx:
                yield tx, _read(tx, key, _OF_KEY)
            return
        # Not as the ledger writes: that is one writer at a time for all rows, and calls wait for no other's.
        try:
            with self._store.engine.begin() as tx:
                yield tx, _read(tx, key, _OF_KEY.with_for_update())
        except sa.exc.DBAPIError as error:
            raise explain(error, self._store.label) from error


def _read(tx: Tx, key: str, query: sa.Select[Any]) -> Window:
    row = tx.execute(query, {"of": key}).one_or_none()
    if row is None:
        _add(tx, key)
        row = tx.execute(query, {"of": key}).one()
    return _window(row)


def _add(tx: Tx, key: str) -> None:
    if tx.dialect.name == "sqlite":  # nobody else writes meanwhile
        tx.execute(sa.insert(budgets).values(key=key, taken=[]))
        return
    from sqlalchemy.dialects.postgresql import insert  # SQLite does not pay for it

    tx.execute(insert(budgets).values(key=key, taken=[]).on_conflict_do_nothing())


def window_of(tx: Tx, key: str) -> Window:
    """Return what is taken of a budget; a look only."""
    row = tx.execute(_OF_KEY, {"of": key}).one_or_none()
    return ([], 0) if row is None else _window(row)


def _window(row: Any) -> Window:
    return row.taken, 0 if row.closed_until is None else (row.closed_until - EPOCH) // MILLISECOND


def _instant(milliseconds: int) -> datetime | None:
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None


class Cost(NamedTuple):
    """What a kind of work took lately; ``budgets``: by key, its calls, and how many that lets out in how many s."""

    calls: float
    effects: float
    budgets: dict[str, list[float]]


def add_costs(tx: Tx, rows: Mapping[tuple[str, str], Cost]) -> None:
    """Add what each (Connection, work) took; the older it is, the less it weighs."""
    for (connection, work), new in rows.items():
        mine = (costs.c.connection == connection) & (costs.c.work == work)
        row = tx.execute(sa.select(costs.c.calls, costs.c.effects, costs.c.budgets).where(mine)).one_or_none()
        old = Cost(*row) if row is not None else Cost(0.0, 0.0, {})
        keep = min(1.0, LATELY / (old.effects + new.effects)) if new.effects else 1.0
        merged = {key: [calls * keep, *limit] for key, (calls, *limit) in old.budgets.items()}
        for key, (calls, *limit) in new.budgets.items():
            merged[key] = [merged.get(key, [0.0])[0] + calls * keep, *limit]
        values = {
            "calls": (old.calls + new.calls) * keep,
            "effects": (old.effects + new.effects) * keep,
            "budgets": merged,
        }
        if row is None:
            tx.execute(sa.insert(costs).values(connection=connection, work=work, **values))
        else:
            tx.execute(sa.update(costs).where(mine).values(values))


def costs_of(tx: Tx, connections: Sequence[str]) -> dict[str, dict[str, Cost]]:
    """Return what each kind of work of these Connections took lately."""
    query = sa.select(costs.c.connection, costs.c.work, costs.c.calls, costs.c.effects, costs.c.budgets)
    found: dict[str, dict[str, Cost]] = {id_: {} for id_ in connections}
    for connection, work, calls, effects, by_key in tx.execute(query.where(costs.c.connection.in_(connections))):
        found[connection][work] = Cost(calls, effects, by_key)
    return found
