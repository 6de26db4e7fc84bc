"""Pages of a pull and the cursor to go on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, NewType, TypeVar

Cursor = NewType("Cursor", str)
"""An opaque text that a connector gave and gets back; the hub stores it and never reads it."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some results of a pull, in the order the connector read them.

    Shape: ``items`` may be empty; ``cursor`` is set where a later pull may resume after this page, and always on the
    last page. The hub stores it in the transaction that stores the items.
    """

    items: tuple[T, ...]
    cursor: Cursor | None = None
