"""TikTok Shop's refusals as the errors that say what the hub does next.

The vendor's code decides, and for 36009004 its message (T-37); the HTTP status only where there is no JSON (T-31).
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.contract import AuthorizationError, ConfigurationError, HubError, RejectedError, TransientError
from hub_tiktok.codes import CIPHER, RECONSENT, TOKEN, UNWANTED, Kind, row_of
from hub_tiktok.payload import Json, text, whole


class CipherRefusedError(ConfigurationError):
    """The shop's cipher is refused; it may have been renewed, so it is read again once (T-20)."""


class CipherUnwantedError(ConfigurationError):
    """The call takes no cipher (T-21)."""


class RefusedError(RejectedError):
    """A refusal with TikTok's own code; ``reason`` is its message, without secrets."""

    vendor_code: int = 0
    reason: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it says that what was asked has happened before."""
        return row_of(self.vendor_code, self.reason).kind is Kind.DONE


_CLASSES: dict[str, type[AuthorizationError | ConfigurationError]] = {
    Kind.ACCESS: AuthorizationError,
    Kind.SETUP: ConfigurationError,
    CIPHER.slug: CipherRefusedError,
    UNWANTED.slug: CipherUnwantedError,
}
_DEAD_TOKENS = frozenset({101000, 105001, 105002, 105003})  # T-18, T-36
PACKAGE_FAILED = 10007014  # T-111: a package of a batch failed; only the text says why
CODE_DIGITS = 8
TOO_MANY = 36009002  # T-38: turned away at the door, so nothing happened


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success, as far as it can be told without secrets.

    ``message`` is the vendor's own, already scrubbed; ``where`` names connection, call, code and request id;
    ``writes``: the call would have changed something.
    """

    code: int
    message: str
    where: str
    reconsent: str
    retry_after_s: float | None = None
    writes: bool = False

    def error(self) -> HubError:
        """Return the error to raise."""
        row = row_of(self.code, self.message)
        what = f"TikTok Shop refuses the call: {self.message or 'no reason given'}"
        do = row.do.replace(RECONSENT, self.reconsent)
        if row.kind is Kind.RETRY:
            return TransientError(
                row.slug,
                what,
                where=self.where,
                do=do,
                retry_after_s=self.retry_after_s or row.retry_after_s,
                may_have_happened=self.writes and self.code != TOO_MANY,
            )
        if row.kind in (Kind.REFUSED, Kind.DONE):
            refused = RefusedError(row.slug, what, where=self.where, do=do)
            refused.vendor_code, refused.reason = self.code, self.message
            return refused
        return _CLASSES.get(row.slug, _CLASSES[row.kind])(row.slug, what, where=self.where, do=do)


def package_fault(fault: Json, ref: str, connection_id: str) -> RefusedError:
    """Return one package's failure inside a batch of them.

    Raises:
        TransientError: it may go later; the others of the batch have gone by then.
    """
    code, message = whole(fault, "code") or 0, text(fault, "message") or "no reason given"
    if code == PACKAGE_FAILED:
        words = message.replace(":", " ").split()
        code = next((int(word) for word in words if word.isdecimal() and len(word) == CODE_DIGITS), code)
    row = row_of(code, message)
    where = f"{connection_id}, package {ref}, code {code}"
    what = f"TikTok Shop does not ship package {ref}: {message}"
    if row.kind is Kind.RETRY:
        raise TransientError(row.slug, what, where=where, do=row.do, may_have_happened=True)
    error = RefusedError(row.slug, what, where=where, do=row.do)
    error.vendor_code, error.reason = code, message
    return error


def is_token_refusal(code: int, message: str) -> bool:
    """Say whether an answer means that the access token is dead or unknown, so that a fresh one may help."""
    return code in _DEAD_TOKENS or (code == 36009004 and row_of(code, message) is TOKEN)
