"""Reading pages one ahead of those that are stored."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from hub.contract import TransientError, ahead


def test_items_come_in_order_and_the_next_is_read_while_one_is_used() -> None:
    second_is_read = threading.Event()

    def pages() -> Iterator[str]:
        yield "first"
        second_is_read.set()
        yield "second"

    coming = ahead(pages())
    assert next(coming) == "first"
    assert second_is_read.wait(5)
    assert list(coming) == ["second"]


def test_never_more_than_one_item_is_read_ahead() -> None:
    read = []

    def pages() -> Iterator[int]:
        for number in range(5):
            read.append(number)
            yield number

    coming = ahead(pages())
    next(coming)
    coming.close()
    assert read in ([0], [0, 1])


def test_an_error_comes_after_the_items_before_it() -> None:
    def pages() -> Iterator[str]:
        yield "first"
        raise TransientError("no-answer", "it broke", where="here", do="wait")

    coming = ahead(pages())
    assert next(coming) == "first"
    with pytest.raises(TransientError):
        next(coming)


def test_who_stops_early_does_not_wait_for_what_is_read_ahead() -> None:
    release = threading.Event()

    def pages() -> Iterator[int]:
        yield 1
        release.wait(5)
        yield 2

    coming = ahead(pages())
    assert next(coming) == 1
    began = time.monotonic()
    coming.close()
    assert time.monotonic() - began < 1
    release.set()
