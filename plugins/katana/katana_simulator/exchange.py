"""One call and its answer, and the errors the gateway knows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Row = dict[str, Any]
Detail = dict[str, Any]


@dataclass(slots=True)
class Request:
    """A call after parsing; `id` is the number that ends the path, where the route has one."""

    method: str
    path: str
    query_text: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    raw_body: bytes
    body: Any = None
    id: int = 0
    shift_page: Callable[[], int] = lambda: 0


@dataclass(slots=True)
class Answer:
    """What is sent back; `body` None sends no bytes, `raw` sends bytes as they are."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    wrote: bool = False
    raw: bytes | None = None


class ApiError(Exception):
    """An answer that is not a success; the names and texts follow K-11."""

    def __init__(self, status: int, name: str, message: str, details: list[Detail] | None = None) -> None:
        super().__init__(message)
        self.status, self.name, self.message, self.details = status, name, message, details
        self.headers: dict[str, str] = {}

    def answer(self, *, wrapped: bool) -> Answer:
        inner: dict[str, Any] = {"statusCode": self.status, "name": self.name, "message": self.message}
        if self.details is not None:
            inner |= {"code": "VALIDATION_FAILED", "details": self.details}
        return Answer(self.status, {"error": inner} if wrapped else inner, dict(self.headers))


def bad_request() -> ApiError:
    return ApiError(400, "BadRequestError", "Bad Request")


def unauthorized() -> ApiError:
    return ApiError(401, "UnauthorizedError", "Unauthorized")


def not_found(message: str = "Not found") -> ApiError:
    return ApiError(404, "NotFoundError", message)


def blocked(message: str) -> ApiError:
    """Something that hangs on it is in the way of a delete."""
    return ApiError(412, "PreconditionFailedError", message)


def refused(message: str) -> ApiError:
    """A domain rule broken: 422 with a plain message and no details.  # K-14"""
    return ApiError(422, "UnprocessableEntityError", message)


def invalid(details: list[Detail]) -> ApiError:
    """A body or a parameter that breaks its schema: every failure at once.  # K-12"""
    message = "The request body is invalid. See error object `details` property for more info."
    return ApiError(422, "UnprocessableEntityError", message, details)


def too_many(retry_after_s: int) -> ApiError:
    error = ApiError(429, "TooManyRequests", "Too Many Requests")
    error.headers["Retry-After"] = str(retry_after_s)
    return error


def server_error() -> ApiError:
    return ApiError(500, "InternalServerError", "Internal Server Error")


def parse_json(raw: bytes) -> Any:
    """Read a body with exact decimals; ValueError when it is not JSON."""
    return json.loads(raw, parse_float=Decimal, parse_constant=_refuse_constant)


def to_json(value: Any) -> bytes:
    return json.dumps(value, default=_plain, separators=(",", ":"), ensure_ascii=False).encode()


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _plain(value: Any) -> int | float:
    if isinstance(value, Decimal):
        # The real server speaks JSON numbers, so the last step out is a double there too.
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} does not go into JSON")
