"""The endpoints: paths, paging, limits, and one error per kind of failure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Any

import httpx

from hub.contract import Budget, Call, Connection, Pace
from hub_katana.answers import Listing, Row, decode, encode, read_listing
from hub_katana.auth import authentication, reconnecting
from hub_katana.failures import RefusedError, failure, unreadable
from hub_katana.pace import WINDOW_S, read_pace
from hub_katana.settings import KatanaSettings

Params = Sequence[tuple[str, str]]
_SEARCH_SIZE = 200  # K-57
_TRAVEL_S = 1.0  # a call that left late may arrive early; where the window slides (K-04), 60 s here can be 59 s there


@lru_cache(maxsize=64)
def _url(text: str) -> httpx.URL:
    # Nearly all calls go to the same few addresses, and httpx takes long to read one.
    return httpx.URL(text)


class Client:
    """Speaks to one Katana account over the Connection's http.

    Raises: from every call AuthorizationError, TransientError, or RefusedError with Katana's reason; see failures.py.
    """

    def __init__(self, connection: Connection[KatanaSettings]) -> None:
        settings = connection.settings
        self._connection = connection
        self._auth = authentication(connection)
        self._reconnect = reconnecting(settings, connection.id)
        # Tools on one key or app share its quota (K-04), as do two Connections; a digest names it without saying it.
        digest = sha256(settings.quota_holder.encode()).hexdigest()[:16]
        self._budget = Budget(f"katana:{digest}", settings.requests_per_minute, WINDOW_S + _TRAVEL_S)
        self._size = settings.page_size
        # Made once: http.request would put them together for every order anew.
        self._headers = httpx.Headers({**connection.http.headers, "Accept": "application/json"})
        self._headers_with_body = httpx.Headers({**self._headers, "Content-Type": "application/json"})
        self._timeout = connection.http.timeout.as_dict()

    def get(self, path: str) -> Row:
        """Read one bare object (K-02)."""
        return self._object(self._send("GET", path, reads=True), self._where("GET", path), reads=True)

    def find(self, path: str, params: Params = ()) -> Row | None:
        """Read one record by its id; None where there is none, or it is deleted (K-14, K-55)."""
        try:
            response = self._send("GET", path, params=params, reads=True)
        except RefusedError as refused:
            if refused.refusal.status != httpx.codes.NOT_FOUND:
                raise
            return None
        return self._object(response, self._where("GET", path), reads=True)

    def whole(self, path: str) -> tuple[Row, ...]:
        """Read a list that has no pages, such as a bare array (K-07)."""
        response = self._send("GET", path, reads=True)
        return self._listing(response, self._where("GET", path), 1, self._size).rows

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
        return self.begin_create(path, body, subject=subject, private=private)()

    def begin_create(
        self, path: str, body: Row, *, subject: str = "", private: Collection[str] = ()
    ) -> Callable[[], Row]:
        """Send what ``create`` sends; what is returned waits for the answer."""
        request, where = self._request("POST", path, body=body, reads=False), self._where("POST", path, subject)
        answer = self._connection.http.begin(request, auth=self._auth)
        return lambda: self._created(answer(), where, private)

    def _created(self, response: httpx.Response, where: str, private: Collection[str]) -> Row:
        self._check(response, where, reads=False, private=private)
        made = self._decoded(response, where, reads=False)
        if not isinstance(made, dict) or not isinstance(made.get("id"), int):
            raise unreadable(where=where, reads=False)
        return made

    def change(self, path: str, body: Row, *, subject: str = "", private: Collection[str] = ()) -> Row:
        """Change one record and return it as Katana answers it. Repeats: safe, the same change again is none."""
        response = self._send("PATCH", path, body=body, reads=False, subject=subject, private=private)
        return self._object(response, self._where("PATCH", path, subject), reads=False)

    def remove(self, path: str, *, subject: str = "") -> None:
        """Delete one record; one that is gone already is fine. The answer's body is not read (K-16)."""
        try:
            self._send("DELETE", path, reads=False, subject=subject)
        except RefusedError as refused:
            if refused.refusal.status != httpx.codes.NOT_FOUND:
                raise

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
        request = self._request(method, path, reads=reads, params=params, body=body)
        response = self._connection.http.send(request, auth=self._auth)
        self._check(response, self._where(method, path, subject), reads=reads, private=private)
        return response

    def _request(
        self, method: str, path: str, *, reads: bool, params: Params = (), body: Any = None
    ) -> httpx.Request:  # fmt: skip
        return httpx.Request(
            method,
            _url(f"{self._connection.settings.api_url}{path}"),
            params=list(params) or None,  # an empty list would have the URL parsed once more
            content=None if body is None else encode(body),
            headers=self._headers if body is None else self._headers_with_body,
            extensions={"hub": Call(reads=reads, budget=self._budget, pace=self._pace), "timeout": self._timeout},
        )

    def _check(self, response: httpx.Response, where: str, *, reads: bool, private: Collection[str]) -> None:
        if not response.is_success:
            raise failure(
                response,
                where=where,
                reads=reads,
                now=self._connection.clock.now(),
                reconnect=self._reconnect,
                private=(*private, response.request.headers.get("Authorization", "").removeprefix("Bearer ")),
            )

    def _pace(self, response: httpx.Response) -> Pace | None:
        return read_pace(response, self._connection.clock.now())

    def _listing(self, response: httpx.Response, where: str, number: int, size: int) -> Listing:
        try:
            return read_listing(response, number, size)
        except ValueError:
            raise unreadable(where=where, reads=True) from None

    def _object(self, response: httpx.Response, where: str, *, reads: bool) -> Row:
        body = self._decoded(response, where, reads=reads)
        if not isinstance(body, dict):
            raise unreadable(where=where, reads=reads)
        return body

    def _decoded(self, response: httpx.Response, where: str, *, reads: bool) -> Any:
        try:
            return decode(response)
        except ValueError:
            raise unreadable(where=where, reads=reads) from None

    def _where(self, method: str, path: str, subject: str = "") -> str:
        return f"{self._connection.id}, {method} {path}" + (f", {subject}" if subject else "")
