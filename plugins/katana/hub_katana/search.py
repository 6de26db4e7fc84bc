"""Searches sales orders by many values at once, in whichever body this account answers to (K-57)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hub.contract import Connection, OrderKey
from hub_katana.answers import Row
from hub_katana.client import Client
from hub_katana.failures import RefusedError
from hub_katana.settings import KatanaSettings

_PATH = "/sales_orders/search"
_MOST_VALUES = 100  # K-58
_MEMORY_KEY = "order-search"
_NONE = "none since"

Where = dict[str, Any]


def _flat(where: Where, limit: int, page: int) -> dict[str, Any]:
    return {"filter": where, "limit": limit, "page": page}


def _nested(where: Where, limit: int, page: int) -> dict[str, Any]:
    return {"filter": {"where": where, "limit": limit, "page": page}}


_SHAPES: dict[str, Callable[[Where, int, int], dict[str, Any]]] = {"flat": _flat, "nested": _nested}


class OrderSearch:
    """Finds sales orders by number and by the channel's id, 100 at once; remembers which body works.

    Where none does, it is not tried again on that day.
    """

    def __init__(self, connection: Connection[KatanaSettings], client: Client) -> None:
        self._connection = connection
        self._client = client

    def find(self, keys: Sequence[OrderKey]) -> list[Row] | None:
        """Return what the search shows for the keys, by either field; None where it cannot be used.

        Shape: what came back is real; what did not may still exist as a deleted order (K-83).
        """
        rows: list[Row] = []
        for start in range(0, len(keys), _MOST_VALUES):
            chunk = keys[start : start + _MOST_VALUES]
            values = {"order_no": [key.key for key in chunk], "ecommerce_order_id": [key.ref for key in chunk]}
            for name, wanted in values.items():
                found = self._matching(name, wanted)
                if found is None:
                    return None
                rows += found
        return rows

    def _matching(self, name: str, values: Sequence[str]) -> list[Row] | None:
        for shape in self._shapes_to_try():
            rows = self._read(shape, name, values)
            if rows is not None:
                self._connection.memory.set(_MEMORY_KEY, shape)
                return rows
        self._connection.memory.set(_MEMORY_KEY, self._none_today())
        return None

    def _read(self, shape: str, name: str, values: Sequence[str]) -> list[Row] | None:
        """Read all results; None where this body is refused, or is taken but its filter is not."""
        wanted = {value.casefold() for value in values}
        where = {name: {"inq": list(values)}}
        rows: list[Row] = []
        try:
            for listing in self._client.search(_PATH, lambda limit, page: _SHAPES[shape](where, limit, page)):
                if not all(str(row.get(name)).casefold() in wanted for row in listing.rows):
                    return None
                rows += listing.rows
        except RefusedError:
            return None
        return rows

    def _shapes_to_try(self) -> list[str]:
        known = self._connection.memory.get(_MEMORY_KEY)
        if known == self._none_today():
            return []
        return sorted(_SHAPES, key=lambda shape: shape != known)

    def _none_today(self) -> str:
        return f"{_NONE} {self._connection.clock.now().date().isoformat()}"
