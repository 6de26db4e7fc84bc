"""Connecting: a person's consent becomes stored tokens, and it is seen what they reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.contract import Account, ConfigurationError, Finding, HubError, Token
from hub.engine.outcome import call, resume
from hub.engine.world import Connected, World
from hub.host.http import renewing_tokens

NOT_USED = "consent-not-used"  # what a connector says whose account is opened by a key


@dataclass(frozen=True, slots=True)
class Reach:
    """What the tokens or the key of one Connection reach; ``configured`` is None where nothing is to be chosen."""

    connection: str
    accounts: tuple[Account, ...] = ()
    setting: str = ""
    configured: str | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_reached(self) -> bool:
        """Whether the configured account is among those that are reached."""
        return self.configured is None or any(account.ref == self.configured for account in self.accounts)

    @property
    def ok(self) -> bool:
        """Whether nothing is missing."""
        return self.is_reached and all(finding.ok for finding in self.findings)


def consent_page(world: World, connected: Connected, state: str, redirect_url: str) -> str | None:
    """Return the page where a person consents; None where this Connection is opened by a key alone."""
    if "authorization_url" not in connected.capabilities:
        return None
    try:
        page: str = call(world, connected, "authorization_url", state=state, redirect_url=redirect_url)
    except ConfigurationError as error:
        if error.code != NOT_USED:
            raise
        return None
    return page


def adopt(world: World, connected: Connected, code: str, redirect_url: str) -> Token:
    """Exchange the code of a consent, once, and store the pair; no cursor and no order is touched.

    Raises: AuthorizationError where the code is refused; TransientError where no answer came, the code being used then.
    """
    with renewing_tokens():
        token: Token = call(world, connected, "exchange_code", code=code, redirect_url=redirect_url)
    connected.authorisation.adopt(token)
    resume(world, connected)
    return token


def share(world: World, owner: Connected, others: Sequence[Connected]) -> list[Reach]:
    """Let further Connections use the owner's consent; one that it does not reach keeps what it had."""
    found = []
    entries = world.config.connections
    for other in others:
        before = world.vault.share(entries[owner.id], entries[other.id])
        reach = reach_of(world, other)
        if reach.is_reached and (reach.accounts or reach.ok):
            resume(world, other)
        else:
            world.vault.restore(entries[other.id], before)
        found.append(reach)
    return found


def reach_of(world: World, connected: Connected) -> Reach:
    """Ask what a Connection reaches, and where that is what was meant, whether anything is missing."""
    reach = Reach(connected.id)
    try:
        if "list_accounts" in connected.capabilities:
            accounts: tuple[Account, ...] = tuple(call(world, connected, "list_accounts"))
            setting = next((account.setting for account in accounts if account.setting), "")
            configured = getattr(world.config.connections[connected.id].settings, setting, None) if setting else None
            reach = Reach(connected.id, accounts, setting, None if configured is None else str(configured))
        if reach.is_reached and "check_connection" in connected.capabilities:
            reach = replace(reach, findings=tuple(call(world, connected, "check_connection")))
    except HubError as error:
        finding = Finding(ok=False, what=f"{error.code}: {error.what} ({error.where})", do=error.do)
        reach = replace(reach, findings=(finding,))
    return reach
