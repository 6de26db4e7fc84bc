"""What comes in and what goes out: a request, a reply, and the refusal that becomes one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]
# One encoder for all: making one per call costs more than a small answer.
ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)


@dataclass(slots=True)
class Request:
    """One HTTP request; the path and the body as they were sent."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    query: dict[str, str] = field(default_factory=dict)
    repeated: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        # Form decoding: a plus sign sent raw arrives as a space, as it does on the real gateway.
        pairs = parse_qsl(self.raw_query, keep_blank_values=True)
        self.repeated = tuple(sorted({name for name, _ in pairs if sum(n == name for n, _ in pairs) > 1}))
        self.query = dict(pairs)

    @property
    def media_type(self) -> str:
        """The content type without its parameters, lower case; empty when there is none."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()

    def parsed(self) -> Any:
        """The JSON body, or None where there is none that parses."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None


@dataclass(slots=True)
class Reply:
    """One HTTP answer; `cut` sends only half of the body, `dropped` nothing at all."""

    status: int
    body: bytes
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    dropped: bool = False


def json_reply(value: object, status: int = 200) -> Reply:
    """A value as a JSON answer."""
    return Reply(status, dumps(value))


def text_reply(text: str, status: int, content_type: str = "text/plain; charset=utf-8") -> Reply:
    """A text answer."""
    return Reply(status, text.encode(), content_type)


def dumps(value: object) -> bytes:
    """Compact JSON bytes; the text keeps its own alphabet."""
    return ENCODER.encode(value).encode()


class ApiError(Exception):
    """A refusal in TikTok Shop's own form: a code and a message, with or without an HTTP status to match (T-30)."""

    def __init__(self, code: int, message: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers or {}


class ControlError(Exception):
    """A call under /_sim/ that cannot be carried out, with the HTTP status that says so."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
