"""TikTok Shop's error codes, each with what the hub does about it.

The vendor's code decides, and for 36009004 its message (T-37); the HTTP status only where there is no JSON (T-31).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hub.contract import AuthorizationError, ConfigurationError, HubError, RejectedError, TransientError


class Kind(StrEnum):
    """What a code asks for."""

    RETRY = "R"
    ACCESS = "A"  # a token, a scope or a consent is missing
    SETUP = "C"
    REFUSED = "B"
    DONE = "D"  # a write that had already happened; to be verified by a read


class CipherRefusedError(ConfigurationError):
    """The shop's cipher is refused; it may have been renewed, so it is read again once (T-20)."""


class CipherUnwantedError(ConfigurationError):
    """The call takes no cipher (T-21)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what a code asks for, our slug, and what the operator should do."""

    kind: Kind
    slug: str
    do: str


RECONSENT = "reconsent"  # stands for the words that name the consent link, known per connection only
BUSY = Row(Kind.RETRY, "channel-busy", "Nothing to do: it is tried again")
TOKEN = Row(Kind.ACCESS, "token-refused", RECONSENT)
CONSENT = Row(Kind.ACCESS, "consent-needed", RECONSENT)
SCOPE = Row(Kind.ACCESS, "scope-missing", "Add the scope to the app in Partner Center. Then: " + RECONSENT)
CIPHER = Row(Kind.SETUP, "shop-cipher-refused", "Check the setting shop: it must be a shop that this consent reaches")
UNWANTED = Row(Kind.SETUP, "shop-cipher-unwanted", "Report this: the connector sent a cipher where none is taken")
SECRET = Row(Kind.SETUP, "signature-refused", "Check the setting app_secret against Partner Center")
APP = Row(Kind.SETUP, "app-key-refused", "Check the setting app_key against Partner Center, and the app's region")
CLOCK = Row(Kind.SETUP, "clock-skew", "Set this machine's clock by a time service (NTP), then try again")
VERSION = Row(Kind.SETUP, "version-retired", "Update the connector; see also the setting order_detail_version")
PATH = Row(Kind.SETUP, "endpoint-unknown", "Check the settings api_url and auth_url; update the connector")
FORM = Row(Kind.SETUP, "request-malformed", "Report this with the request id: the connector sent a malformed request")
ADDRESS = Row(Kind.SETUP, "ip-not-allowed", "Add this machine's public address to the app's allow list")
REFUSED = Row(Kind.REFUSED, "request-refused", "Read TikTok's reason; its support can look the request id up")
UNREADABLE = Row(Kind.REFUSED, "order-unreadable", "Check that the order belongs to this shop")
TOO_WIDE = Row(Kind.REFUSED, "window-too-wide", "Nothing to do: the time window is cut")
DONE = Row(Kind.DONE, "already-done", "Read the order and compare")

_GROUPS: tuple[tuple[Row, tuple[int, ...]], ...] = (
    (BUSY, (36009002, 36009003, 36009007)),  # T-38
    (BUSY, (10002014, 10002015, 10037002, 10037003, 10037004)),  # T-38
    (BUSY, (21001003, 21001008, 21001011, 21001043, 21001055, 21008300, 21022029, 21042001, 21042076)),  # T-82
    (BUSY, (11001027, 11001031, 11006005, 11006026, 12001000, 12052881, 33001002)),  # T-82
    (TOKEN, (101000, 105001, 105002, 105003, 105004)),  # T-18, T-36
    (CONSENT, (36004001, 36004004, 36004005)),  # T-15
    (SCOPE, (105005,)),  # T-16
    (CIPHER, (106011, 106013)),  # T-20
    (SECRET, (106001,)),  # T-29
    (VERSION, (36009014,)),  # T-35
    (PATH, (36009009, 36009010)),  # T-32, T-34
    (FORM, (36009021, 36009022, 36009023)),  # T-34
    (ADDRESS, (36009033,)),  # T-83
    (UNREADABLE, (21008111,)),  # T-39
    (REFUSED, (11050001, 98001004, 21001001, 21011005, 11001002)),  # T-84
    (DONE, (21011006, 21011020, 21011040, 21042056, 21008099, 11006021, 21011027, 21008042, 21022025)),  # T-82
)
TABLE: dict[int, Row] = {code: row for row, codes in _GROUPS for code in codes}

MESSAGES: tuple[tuple[str, Row], ...] = (  # T-37; the first text found in the message decides
    ("timestamp", CLOCK),
    ("api version", VERSION),
    ("signature", SECRET),
    ("access_token` header", TOKEN),
    ("x-tts-access-token", TOKEN),
    ("not required", UNWANTED),
    ("shop_cipher", CIPHER),
    ("shop_id", CIPHER),
    ("app_key", APP),
    ("date range", TOO_WIDE),
)
_CLASSES: dict[str, type[AuthorizationError | ConfigurationError | RejectedError]] = {
    Kind.ACCESS: AuthorizationError,
    Kind.SETUP: ConfigurationError,
    Kind.REFUSED: RejectedError,
    Kind.DONE: RejectedError,
    CIPHER.slug: CipherRefusedError,
    UNWANTED.slug: CipherUnwantedError,
}
_DEAD_TOKENS = frozenset({105001, 105002, 105003})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success, as far as it can be told without secrets.

    ``message`` is the vendor's own, already scrubbed; ``where`` names connection, call, code and request id.
    """

    code: int
    message: str
    where: str
    reconsent: str
    retry_after_s: float | None = None

    def error(self) -> HubError:
        """Return the error to raise."""
        row = row_of(self.code, self.message)
        what = f"TikTok Shop refuses the call: {self.message or 'no reason given'}"
        do = row.do.replace(RECONSENT, self.reconsent)
        if row.kind is Kind.RETRY:
            return TransientError(row.slug, what, where=self.where, do=do, retry_after_s=self.retry_after_s)
        return _CLASSES.get(row.slug, _CLASSES[row.kind])(row.slug, what, where=self.where, do=do)


def row_of(code: int, message: str) -> Row:
    """Return the table's line for a code; one that nobody listed counts as a refusal of this very request."""
    if code == 36009004:
        lower = message.lower()
        return next((row for words, row in MESSAGES if words in lower), REFUSED)
    if code == 10006402:  # T-39: "permission denied" in one text, an internal error in a later one
        return UNREADABLE if "permission" in message.lower() else BUSY
    return TABLE.get(code, REFUSED)


def is_token_refusal(code: int, message: str) -> bool:
    """Say whether an answer means that the access token is dead or unknown, so that a fresh one may help."""
    return code in _DEAD_TOKENS or (code == 36009004 and row_of(code, message) is TOKEN)
