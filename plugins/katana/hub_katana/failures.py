"""Turns what Katana refuses into the hub's errors, by what the hub should do next."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

import httpx

from hub.contract import AuthorizationError, HubError, RejectedError, TransientError
from hub_katana.answers import Refusal, read_refusal
from hub_katana.auth import WITH_KEY, Reconnect
from hub_katana.pace import wait_s

_FORBIDDEN = (httpx.codes.PAYMENT_REQUIRED, httpx.codes.FORBIDDEN)
_NO_REFUSAL = (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_EARLY)
_LATER = "Nothing to do: the hub tries again."


class RefusedError(RejectedError):
    """Katana refuses one request and says why in ``refusal``."""

    def __init__(self, code: str, refusal: Refusal, *, where: str, do: str, variant_refs: tuple[str, ...] = ()) -> None:
        super().__init__(code, refusal.text(), where=where, do=do, variant_refs=variant_refs)
        self.refusal = refusal


def failure(
    response: httpx.Response,
    *,
    where: str,
    reads: bool,
    now: datetime,
    reconnect: Reconnect = WITH_KEY,
    private: Collection[str] = (),
) -> HubError:
    """Return the error for an answer that is not a success.

    Source: K-01 for 401; K-05 for 429, which is known not to have happened; K-11 to K-14 for refusals; K-79: a write
            answered by 5xx may have happened.
    """
    status = response.status_code
    if status == httpx.codes.UNAUTHORIZED:
        what = f"Katana refuses the {reconnect.credential}"
        return AuthorizationError("credentials-refused", what, where=where, do=reconnect.do)
    if status in _FORBIDDEN:
        what = f"Katana does not allow this {reconnect.credential} to do that (HTTP {status})"
        return AuthorizationError("credentials-refused", what, where=where, do=reconnect.do)
    if status == httpx.codes.TOO_MANY_REQUESTS:
        after_s = wait_s(response, now)
        what = "Katana's request limit is used up"
        return TransientError("rate-limited", what, where=where, do=_LATER, retry_after_s=after_s)
    if not 400 <= status < 500 or status in _NO_REFUSAL:
        what, after_s = f"Katana answered HTTP {status}", wait_s(response, now)
        return TransientError(
            "other-side-unavailable", what, where=where, do=_LATER, retry_after_s=after_s, may_have_happened=not reads
        )
    do = "Mend what Katana names, then retry."
    return RefusedError("request-refused", read_refusal(response, private), where=where, do=do)


def unreadable(*, where: str, reads: bool) -> TransientError:
    """Return the error for a success whose body cannot be understood."""
    what = "Katana's answer could not be read"
    return TransientError("answer-unreadable", what, where=where, do=_LATER, may_have_happened=not reads)


def filter_ignored(what: str, *, where: str) -> TransientError:
    """Return the error for a list that came back unfiltered and is too long to read whole (K-23)."""
    what = f"Katana ignored the filter for {what} and answered with everything"
    do = "The hub tries again; if it stays, report it: Katana may have renamed the filter."
    return TransientError("filter-ignored", what, where=where, do=do)


def transient(error: TransientError, *, may_have_happened: bool) -> TransientError:
    """Return the same error with another verdict on whether the sales order may exist."""
    return TransientError(
        error.code,
        error.what,
        where=error.where,
        do=error.do,
        retry_after_s=error.retry_after_s,
        may_have_happened=may_have_happened,
    )


@contextmanager
def order_not_sent() -> Iterator[None]:
    """Guard a step that comes before the sales order itself.

    The lost answer of a customer's or a tax rate's create says nothing about the order, which was not sent; the step
    looks its own thing up again next time.
    """
    try:
        yield
    except TransientError as error:
        if not error.may_have_happened:
            raise
        raise transient(error, may_have_happened=False) from error
