"""Reading parameters of a call, refusing what the endpoint does not take."""

from __future__ import annotations

from typing import Any

from tiktok_simulator.gateway import Call
from tiktok_simulator.shapes import fault
from tiktok_simulator.tokens import PARAMETER_BAD
from tiktok_simulator.wire import ApiError, Json
from tiktok_simulator.world import World

# `version` and `shop_id` still ride along in calls of the vendor's own test tool.
COMMON = frozenset({"app_key", "timestamp", "sign", "shop_cipher", "access_token", "version", "shop_id"})


class Params:
    """The query and body of a call; every refusal is a parameter error (T-31)."""

    def __init__(self, world: World, call: Call) -> None:
        self._status = int(world.options["parameter_http_status"])
        self._query = call.request.query
        self.body: Json = call.body

    def wrong(self, text: str, code: int = PARAMETER_BAD) -> ApiError:
        """A parameter error to raise."""
        return ApiError(code, f"invalid param error: {text}", self._status)

    def take(self, known: dict[str, type]) -> Json:
        """The body, after a check that it holds known properties of the right type only."""
        for name, value in self.body.items():
            kind = known.get(name)
            if kind is None:
                raise self.wrong(f"unknown property {name}")
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                raise self.wrong(f"{name} must be of type {kind.__name__}")
        return self.body

    def shaped(self, shape: Json) -> Json:
        """The body, after a check against a shape, nested parts included."""
        found = fault(self.body, shape)
        if found:
            raise self.wrong(found)
        return self.body

    def asked(self, *known: str) -> None:
        """Refuse query names that neither every call nor this one has."""
        for name in self._query:
            if name not in COMMON and name not in known:
                raise self.wrong(f"unknown query parameter {name}")

    def size(self, most: int, default: int, least: int = 1) -> int:
        """`page_size` of the query."""
        text = self._query.get("page_size", str(default))
        if not text.isdigit() or not least <= int(text) <= most:
            raise self.wrong(f"page_size must lie between {least} and {most}")
        return int(text)

    def choice(self, name: str, allowed: tuple[str, ...]) -> str:
        """A query parameter with few values, the first of them by default."""
        value = self._query.get(name) or allowed[0]
        if value not in allowed:
            raise self.wrong(f"{name} must be one of {', '.join(allowed)}")
        return value

    def text(self, name: str) -> str:
        """A query parameter, empty when it is missing."""
        return self._query.get(name, "")

    def ids(self, name: str, most: int, value: Any = None) -> list[str]:
        """Ids joined by commas in the query (T-28), or listed in the body."""
        ids = self._query.get(name, "").split(",") if value is None else [str(one) for one in value]
        ids = [one for one in ids if one]
        if not ids or len(ids) > most or not all(one.isdigit() for one in ids):
            raise self.wrong(f"{name} must be 1 to {most} decimal ids")
        return ids
