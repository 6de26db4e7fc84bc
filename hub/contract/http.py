"""The HTTP client that the hub lends."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import httpx


class Http(httpx.Client):
    """An httpx.Client that also sends in two halves."""

    @abstractmethod
    def begin(
        self, request: httpx.Request, *, auth: httpx.Auth | None = None, at_once: bool = False
    ) -> Callable[[], httpx.Response]:
        """Do the first half of ``send``: return as soon as the request has left.

        What is returned does the other half, once: it waits for the answer, and repeats what ``send`` would repeat.
        Raises: as ``send``, in either half; ``at_once``: a TransientError also where it would have to wait before it
                leaves.
        """
