"""What the hub hands to a connector: one Connection, with everything it may touch of the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated, Any, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from hub.contract.model import Token

if TYPE_CHECKING:
    import httpx  # commands that only look at the ledger do not wait for it

    from hub.contract.http import Http

S = TypeVar("S", bound=BaseModel)


class Clock(Protocol):
    """The hub's time; simulated where every Connection is on loopback."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class Log(Protocol):
    """An event name and keys; never values woven into prose, never a secret, an address or a buyer's name."""

    def debug(self, event: str, **keys: Any) -> Any: ...
    def info(self, event: str, **keys: Any) -> Any: ...
    def warning(self, event: str, **keys: Any) -> Any: ...


class Memory(Protocol):
    """Small texts that are worth keeping between runs, such as a customer's id on the other side.

    A cache: an entry may be missing at any time and must be found again from outside.
    """

    def get(self, key: str) -> str | None: ...
    def set(self, key: str, value: str) -> None: ...
    def forget(self, key: str) -> None: ...


class Tokens(Protocol):
    """The stored OAuth tokens of this Connection's Authorisation."""

    def access_token(self, refused: str | None = None) -> str:
        """Return an access token that is not about to expire, refreshing it first where needed.

        Args:
            refused: a token the other side just refused as expired; if it is still the stored one it is refreshed
                once, over all threads and processes.

        Raises:
            AuthorizationError: the refresh token is refused; a person must consent again.
            TransientError: the token host did not answer.
        """
        ...

    def scopes(self) -> tuple[str, ...]:
        """Return the scopes granted with the present token; empty where the system has none."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """How many calls may be made under one key: at most ``calls`` in any ``per_s`` seconds."""

    key: str
    calls: int
    per_s: float


@dataclass(frozen=True, slots=True)
class Pace:
    """What an answer says of the budget: ``remaining`` calls until ``resets_in_s`` from now.

    ``slower``: it refused a call without telling its limit; the hub then lets half as many out for some minutes.
    """

    remaining: int
    resets_in_s: float
    slower: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """What the hub must know of a request before it sends it; pass as ``extensions={"hub": Call(...)}``.

    ``reads`` is true where the request changes nothing on the other side: it may be retried, and a dry run lets it
    pass. Without a Call only GET and HEAD count as reads.
    """

    reads: bool
    budget: Budget | None = None
    pace: Callable[[httpx.Response], Pace | None] | None = None


@dataclass(frozen=True, slots=True)
class Connection(Generic[S]):
    """One configured account of a Connector, under the id the operator chose.

    ``http`` waits for the budget, authenticates anew on every attempt, retries reads (and writes on 429 only), and
    raises TransientError where no whole answer came; its ``begin`` returns as soon as a request has left. Plain http
    goes to loopback only. ``secrets`` is a Memory that the hub keeps encrypted, for what opens something, such as the
    key of a signature.
    """

    id: str
    settings: S
    http: Http
    clock: Clock
    log: Log
    memory: Memory
    tokens: Tokens
    secrets: Memory


def is_loopback(url: str) -> bool:
    """Say whether a URL points at this very machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _outside_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL such as https://host")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError("must be https; plain http is for loopback only")
    return url.rstrip("/")


OutsideUrl = Annotated[str, AfterValidator(_outside_url), Field(json_schema_extra={"x-hub-url": True})]
"""A settings field that says where the outside system is; https, or plain http to loopback."""

Secret = Annotated[SecretStr, Field(json_schema_extra={"x-hub-secret": True})]
"""A settings field whose value must come from the environment, a file or the store, never from the route file."""

__all__ = [
    "Budget", "Call", "Clock", "Connection", "Log", "Memory", "OutsideUrl", "Pace", "Secret", "Token", "Tokens",
    "is_loopback",
]  # fmt: skip
