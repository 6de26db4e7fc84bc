"""Pages of a pull and the cursor to go on from."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
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


def ahead(found: Iterator[T]) -> Generator[T, None, None]:
    """Read one item ahead in a thread, so that the other side works on the next while this one is read and stored.

    For a connector's lazy pulls: ``for answer in ahead(answers)``. The thread's calls count as those of the pull.
    """
    reader = ThreadPoolExecutor(1)

    def read() -> Future[T | None]:
        context = copy_context()
        return reader.submit(lambda: context.run(lambda: next(found, None)))

    try:
        coming = read()
        while (item := coming.result()) is not None:
            coming = read()
            yield item
    finally:
        reader.shutdown(wait=False, cancel_futures=True)  # who is done with it does not wait for what it read ahead
