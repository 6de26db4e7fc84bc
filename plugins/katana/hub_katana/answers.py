"""Reads what came back: JSON with exact numbers, page headers, refusals."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import simplejson

Row = Mapping[str, Any]
_WRITES = simplejson.JSONEncoder(use_decimal=True, allow_nan=False)
_READS = json.JSONDecoder(parse_float=Decimal)


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list: its rows, and what X-Pagination says (None where it says nothing)."""

    rows: tuple[Row, ...]
    is_last: bool
    total_pages: int | None = None
    total_records: int | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """One failure of a request body; ``path`` names the property, with ``/`` between its parts."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Katana's own words on why it refused, without anything private."""

    status: int
    message: str
    details: tuple[Detail, ...] = ()

    def text(self) -> str:
        """Return message and details as one line."""
        parts = [f"{detail.path or '/'} {detail.message}".strip() for detail in self.details]
        return f"{self.message} [{'; '.join(parts)}]" if parts else self.message


def encode(body: Any) -> bytes:
    """Write JSON; a Decimal becomes a number with all its digits."""
    text: str = _WRITES.encode(body)
    return text.encode()


def decode(response: httpx.Response) -> Any:
    """Read a JSON body; numbers with a point become Decimal. ValueError where it is not JSON."""
    return _READS.decode(response.content.decode("utf-8-sig"))


def read_listing(response: httpx.Response, number: int, size: int) -> Listing:
    """Read page ``number`` of a list that was asked for in pages of ``size``.

    Shape: ``{"data": [...]}`` (K-07) or, on few lists, a bare array. X-Pagination is JSON whose values are texts
           (K-09); where it is missing, a page that is not full is the last.
    Raises: ValueError where the body is neither.
    """
    body = decode(response)
    rows = body.get("data") if isinstance(body, dict) else body
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("not a list of records")
    said = _pagination(response)
    pages, records = _whole(said.get("total_pages")), _whole(said.get("total_records"))
    word = str(said.get("last_page")).lower()
    ends_here = len(rows) < size and word != "false" if pages is None else number >= pages
    return Listing(tuple(rows), not rows or word == "true" or ends_here, pages, records)


def read_refusal(response: httpx.Response, private: Collection[str]) -> Refusal:
    """Read an error body, with or without its ``error`` wrapper (K-11), in either style of paths (K-12).

    Args:
        private: texts that must not be shown, such as a buyer's name that Katana repeats, or the key.
    """
    try:
        body = decode(response)
    except ValueError:
        body = None
    wrapper = body.get("error", body) if isinstance(body, dict) else {}
    inner: Row = wrapper if isinstance(wrapper, dict) else {"message": wrapper}
    message = str(inner.get("message") or inner.get("name") or response.reason_phrase or "no reason given")
    given = inner.get("details")
    details = [_detail(item, private) for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    return Refusal(response.status_code, without(message, private), tuple(details))


def without(text: str, private: Collection[str]) -> str:
    """Return a text with each private word or phrase blanked out."""
    for word in sorted((word.strip() for word in private), key=len, reverse=True):
        if len(word) > 1:
            text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", "[...]", text, flags=re.IGNORECASE)
    return text


def _detail(item: Row, private: Collection[str]) -> Detail:
    path = re.sub(r"[.\[\]/]+", "/", str(item.get("path") or "")).rstrip("/")  # `.rows[0].id` and `/rows/0/id` alike
    message = without(str(item.get("message") or ""), private)
    info = item.get("info")
    named = info.get("missingProperty") or info.get("additionalProperty") if isinstance(info, dict) else None
    if named and str(named) not in message:
        message = f"{message} ({named})"
    return Detail(path if path.startswith("/") or not path else f"/{path}", str(item.get("code") or ""), message)


def _pagination(response: httpx.Response) -> Row:
    try:
        said = json.loads(response.headers.get("X-Pagination", ""))
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _whole(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() else None
