"""The signature of TikTok Shop requests and webhooks, byte for byte; pure. Source: T-24."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

UNSIGNED_NAMES = frozenset({"sign", "access_token"})


def request_signature(
    secret: str,
    *,
    path: str,
    query: Iterable[tuple[str, str]],
    body: bytes = b"",
    content_type: str = "application/json",
) -> str:
    """Return the ``sign`` of a request: lower-case hex of an HMAC-SHA256.

    Args:
        path: as sent, without host and query.
        query: decoded names and values; ``sign`` and ``access_token`` are left out here.
        body: the very bytes that are sent; a multipart body takes no part (T-26).
    """
    pairs = sorted((name, value) for name, value in query if name not in UNSIGNED_NAMES)
    text = path + "".join(name + value for name, value in pairs)
    signed_body = b"" if _is_multipart(content_type) else body
    key = secret.encode()
    return _hex(key, key + text.encode() + signed_body + key)


def webhook_signature(secret: str, *, app_key: str, body: bytes) -> str:
    """Return what the ``Authorization`` header of a webhook delivery holds, for its raw body (T-81)."""
    return _hex(secret.encode(), app_key.encode() + body)


def _is_multipart(content_type: str) -> bool:
    return content_type.split(";")[0].strip().lower() == "multipart/form-data"


def _hex(key: bytes, message: bytes) -> str:
    return hmac.new(key, message, hashlib.sha256).hexdigest()
