"""What a misbehaving channel does to bodies: repeat and reorder rows, drop filters, echo; numbers keep their digits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode

_NUMBER = "\x00number:"
_QUOTED = re.compile(r'"\\u0000number:([^"]*)"')


def _load(body: bytes) -> Any:
    def verbatim(text: str) -> str:
        return _NUMBER + text

    return json.loads(body, parse_float=verbatim, parse_int=verbatim)


def _dump(value: Any) -> bytes:
    return _QUOTED.sub(r"\1", json.dumps(value)).encode()


def with_rows(body: bytes, *, repeat: bool) -> tuple[bytes, int]:
    """Repeat the first row of the longest list of records, or turn the list around; say how many lists changed."""
    try:
        value = _load(body)
    except ValueError:
        return body, 0
    rows = max(_record_lists(value), key=len, default=[])
    if len(rows) < 2:
        return body, 0
    if repeat:
        rows.append(rows[0])
    else:
        rows.reverse()
    return _dump(value), 1


def _record_lists(value: Any, depth: int = 3) -> list[list[Any]]:
    """Find lists of objects near the top, where a page's rows are."""
    if isinstance(value, list):
        return [value] if value and all(isinstance(item, dict) for item in value) else []
    if not isinstance(value, dict) or depth == 0:
        return []
    return [found for item in value.values() for found in _record_lists(item, depth - 1)]


def without(query: str, body: bytes, words: Sequence[str]) -> tuple[str, bytes]:
    """Take out whatever parameter or property names one of some words, as if the server knew no such filter."""
    pairs = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True) if not _names(value, words)]
    try:
        value = _load(body) if body else None
    except ValueError:
        return urlencode(pairs), body
    return urlencode(pairs), body if value is None else _dump(_pruned(value, words))


def _pruned(value: Any, words: Sequence[str]) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {name: _pruned(item, words) for name, item in value.items() if not _is_filter(item, words)}
    return {name: item for name, item in kept.items() if item != {}}


def _is_filter(value: Any, words: Sequence[str]) -> bool:
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(text, str) and _names(text, words) for text in texts)


def _names(text: str, words: Sequence[str]) -> bool:
    return any(word in text for word in words)


def echo(target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return an error that repeats all that was sent, as chatty servers do."""
    said = f"bad request {unquote_plus(target)} {dict(headers)} {body.decode('utf-8', 'replace')}"
    return json.dumps({"message": said, "code": "bad_request", "error": {"message": said}}).encode()
