"""The endpoints: paths, paging, limits, and one error per kind of failure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from hashlib import sha256
from typing import Any

import httpx

from hub.contract import Budget, Call, Connection, Pace
from hub_katana.answers import Listing, Row, decode, encode, read_listing
from hub_katana.auth import BearerAuth
from hub_katana.failures import failure, unreadable
from hub_katana.pace import WINDOW_S, read_pace
from hub_katana.settings import KatanaSettings

Params = Sequence[tuple[str, str]]
_SEARCH_SIZE = 200  # K-57
_TRAVEL_S = 1.0  # a call that left late may arrive early; where the window slides (K-04), 60 s here can be 59 s there


class Client:
    """Speaks to one Katana account over the Connection's http.

    Raises: from every call AuthorizationError, TransientError, or RefusedError with Katana's reason; see failures.py.
    """

    def __init__(self, connection: Connection[KatanaSettings]) -> None:
        settings = connection.settings
        self._connection = connection
        self._auth = BearerAuth(settings.api_key, connection.id)
        # Tools on one key share its quota (K-04), and so do two Connections; a digest names the key without saying it.
        digest = sha256(settings.api_key.get_secret_value().encode()).hexdigest()[:16]
        self._budget = Budget(f"katana:{digest}", settings.requests_per_minute, WINDOW_S + _TRAVEL_S)
        self._size = settings.page_size

    def get(self, path: str) -> Row:
        """Read one bare object (K-02)."""
        response = self._send("GET", path, reads=True)
        body = self._decoded(response, self._where("GET", path), reads=True)
        if not isinstance(body, dict):
            raise unreadable(where=self._where("GET", path), reads=True)
        return body

    def page(self, path: str, params: Params = (), number: int = 1) -> Listing:
        """Read one page of a list, newest created first (K-10)."""
        paging = (("limit", str(self._size)), ("page", str(number)))
        response = self._send("GET", path, params=(*params, *paging), reads=True)
        return self._listing(response, self._where("GET", path), number, self._size)

    def pages(self, path: str, params: Params = (), first: Listing | None = None) -> Iterator[Listing]:
        """Read a list to its end, lazily; ``first`` is its first page where that was read already.

        Shape: offset paging, so a row may come twice while data changes; callers drop repeats by id.
        """
        listing, number = first or self.page(path, params), 1
        yield listing
        while not listing.is_last:
            number += 1
            listing = self.page(path, params, number)
            yield listing

    def matching(self, path: str, params: Params, belongs: Callable[[Row], bool]) -> tuple[Row, ...] | None:
        """Read the rows a filter was asked for, checked one by one.

        Shape: None where the filter was ignored (K-23) and the whole list is longer than one page: then nothing may
               be concluded from it. A list that fits on one page is exact whether filtered or not.
        """
        first = self.page(path, params)
        if not first.is_last and not all(belongs(row) for row in first.rows):
            return None
        return tuple(row for listing in self.pages(path, params, first) for row in listing.rows if belongs(row))

    def search(self, path: str, body_of: Callable[[int, int], Any]) -> Iterator[Listing]:
        """Read all pages of a search; ``body_of`` makes the body from page size and page number.

        Repeats: safe; it is a POST that only reads (K-57).
        """
        number, is_last = 1, False
        while not is_last:
            response = self._send("POST", path, body=body_of(_SEARCH_SIZE, number), reads=True)
            listing = self._listing(response, self._where("POST", path), number, _SEARCH_SIZE)
            yield listing
            number, is_last = number + 1, listing.is_last

    def create(self, path: str, body: Row, *, subject: str = "", private: Collection[str] = ()) -> Row:
        """Create one record and return it as Katana answers it.

        Repeats: not safe; there is no idempotency key (K-03).
        Raises:  TransientError(may_have_happened=True) where the answer does not name what was made.

        Args:
            subject: what it is for, such as an order's key; for messages.
            private: texts in the body that no message may repeat.
        """
        response = self._send("POST", path, body=body, reads=False, subject=subject, private=private)
        where = self._where("POST", path, subject)
        made = self._decoded(response, where, reads=False)
        if not isinstance(made, dict) or not isinstance(made.get("id"), int):
            raise unreadable(where=where, reads=False)
        return made

    def _send(
        self,
        method: str,
        path: str,
        *,
        reads: bool,
        params: Params = (),
        body: Any = None,
        subject: str = "",
        private: Collection[str] = (),
    ) -> httpx.Response:
        response = self._connection.http.request(
            method,
            f"{self._connection.settings.api_url}{path}",
            params=list(params) or None,  # an empty list would have the URL parsed once more
            content=None if body is None else encode(body),
            headers={"Accept": "application/json"} | ({} if body is None else {"Content-Type": "application/json"}),
            auth=self._auth,
            extensions={"hub": Call(reads=reads, budget=self._budget, pace=self._pace)},
        )
        if not response.is_success:
            hidden = (*private, self._connection.settings.api_key.get_secret_value())
            where = self._where(method, path, subject)
            raise failure(response, where=where, reads=reads, now=self._connection.clock.now(), private=hidden)
        return response

    def _pace(self, response: httpx.Response) -> Pace | None:
        return read_pace(response, self._connection.clock.now())

    def _listing(self, response: httpx.Response, where: str, number: int, size: int) -> Listing:
        try:
            return read_listing(response, number, size)
        except ValueError:
            raise unreadable(where=where, reads=True) from None

    def _decoded(self, response: httpx.Response, where: str, *, reads: bool) -> Any:
        try:
            return decode(response)
        except ValueError:
            raise unreadable(where=where, reads=reads) from None

    def _where(self, method: str, path: str, subject: str = "") -> str:
        return f"{self._connection.id}, {method} {path}" + (f", {subject}" if subject else "")
