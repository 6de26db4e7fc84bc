"""What is heard of a task whose outcome nobody waits for: faults of ours, and nothing that heals by itself."""

from __future__ import annotations

import asyncio
import gc
import logging

import psycopg
import pytest
from procrastinate import exceptions

from hub.daemon.distributed import _of_nobody


@pytest.mark.parametrize(
    ("error", "is_heard"),
    [
        (exceptions.AppNotOpen(), False),  # its worker ended while the database was away
        (exceptions.ConnectorException(), False),
        (psycopg.OperationalError(), False),
        (ValueError("ours"), True),
    ],
)
def test_only_what_is_our_own_fault_is_heard(
    error: Exception, is_heard: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise error

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(_of_nobody)
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        del task
        gc.collect()

    with caplog.at_level(logging.ERROR, logger="asyncio"):
        asyncio.run(main())
    assert bool(caplog.records) == is_heard
