"""The errors a connector may raise, grouped by what the hub does next.

HubError
├── TransientError       wait, try again, up to a limit
├── AuthorizationError   pause the Connection, keep its work
├── ConfigurationError   refuse the Route or Connection until the file is mended
├── RejectedError        block that one Order or effect, go on with the rest
└── ContractError        a connector broke its promise; any stray exception becomes one
"""

from __future__ import annotations


class HubError(Exception):
    """A failure that says what happened, where, and what to do; all three are demanded.

    Args:
        code: slug such as ``variant-unmapped``; heads a section of ``docs/errors.md``.
        what: what happened, in one clause, without secrets, addresses or buyer names.
        where: the Connection, Order, file place or vendor request id.
        do: the next step, as a command where there is one.
    """

    connection: str | None = None
    """Whose call it was; set by the hub, not by a connector."""

    def __init__(self, code: str, what: str, *, where: str, do: str) -> None:
        self.code, self.what, self.where, self.do = code, what, where, do
        super().__init__(code, what, where, do)

    def __str__(self) -> str:
        return f"{self.code}: {self.what} ({self.where}). {self.do}"


LONGEST_WAIT_S = 3600.0


class TransientError(HubError):
    """The other side is away or busy; the same call may succeed later.

    ``retry_after_s``: seconds that the other side asks for; more than an hour is not believed.

    ``may_have_happened`` is true where a write was sent and its answer did not arrive: the hub then looks the
    effect up before it sends it again. A refusal such as HTTP 429 is known not to have happened.
    """

    def __init__(
        self,
        code: str,
        what: str,
        *,
        where: str,
        do: str,
        retry_after_s: float | None = None,
        may_have_happened: bool = False,
    ) -> None:
        super().__init__(code, what, where=where, do=do)
        self.retry_after_s = None if retry_after_s is None else min(retry_after_s, LONGEST_WAIT_S)
        self.may_have_happened = may_have_happened


class AuthorizationError(HubError):
    """The credentials are refused, expired or lack a permission; a person must act."""


class ConfigurationError(HubError):
    """A route or a setting cannot work as written."""


class RejectedError(HubError):
    """The other side refuses this one thing and would refuse it again unchanged.

    ``variant_refs`` names the Variants at fault, where known, so that the hub forgets what it remembered of them.
    ``sent`` is false where the connector refused it itself, before the call that would have made it went out: the hub
    then need not ask whether it exists after all.
    """

    def __init__(
        self, code: str, what: str, *, where: str, do: str, variant_refs: tuple[str, ...] = (), sent: bool = True
    ) -> None:
        super().__init__(code, what, where=where, do=do)
        self.variant_refs, self.sent = variant_refs, sent


class ContractError(HubError):
    """A connector broke a promise of the contract."""
