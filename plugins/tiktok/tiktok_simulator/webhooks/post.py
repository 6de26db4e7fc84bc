"""One delivery on the wire; nothing ever leaves this machine."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from urllib.parse import urlsplit

PATIENCE_S = 3.0  # T-126


def is_local(address: str) -> bool:
    """Whether a URL is plain http to this very machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        return parts.scheme == "http" and (host == "localhost" or ip_address(host).is_loopback)
    except ValueError:
        return False


def post(address: str, headers: Mapping[str, str], body: bytes) -> int | None:
    """Deliver a body; the HTTP status of the answer, or None where none came in time."""
    parts = urlsplit(address)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = HTTPConnection(parts.hostname or "", parts.port or 80, timeout=PATIENCE_S)
    except ValueError:  # a port that no machine has
        return None
    try:
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
