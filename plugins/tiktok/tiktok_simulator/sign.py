"""The signature as the gateway checks it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

UNSIGNED = frozenset({"sign", "access_token"})
EMPTY_OBJECT = b"{}"


def signature(secret: str, path: str, query: Mapping[str, str], body: bytes, media_type: str) -> str:
    """The lower-case hex signature of a request (T-24); multipart bodies take no part (T-26)."""
    # Names are compared as bytes: upper case sorts before the underscore, that before lower case.
    names = sorted((name for name in query if name not in UNSIGNED), key=lambda name: name.encode())
    text = path + "".join(name + query[name] for name in names)
    signed_body = b"" if media_type == "multipart/form-data" else body
    message = secret.encode() + text.encode() + signed_body + secret.encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def is_signed(
    secret: str, path: str, query: Mapping[str, str], body: bytes, media_type: str, *, empty_body: str = "both"
) -> bool:
    """Whether the `sign` in the query fits the request.

    An exact `{}` body counts as signed, as unsigned, or as either, because vendor samples disagree (T-27).
    """
    bodies = [body]
    if body == EMPTY_OBJECT:
        bodies = {"signed": [body], "unsigned": [b""], "both": [body, b""]}[empty_body]
    given = query.get("sign", "").encode()
    return any(
        hmac.compare_digest(given, signature(secret, path, query, candidate, media_type).encode())
        for candidate in bodies
    )


def webhook_signature(secret: str, app_key: str, body: bytes) -> str:
    """The lower-case hex signature of a delivery, over the very bytes of its body (T-81)."""
    return hmac.new(secret.encode(), app_key.encode() + body, hashlib.sha256).hexdigest()
