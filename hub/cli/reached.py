"""What a new consent or key reaches, and which setting says so in the route file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from hub.cli import show
from hub.cli.options import Choices
from hub.engine.connect import Reach
from hub.engine.world import Connected


def tell(choices: Choices, connected: Connected, reached: Sequence[Reach]) -> None:
    """Print what is reached, what is missing, and what to write."""
    until = connected.authorisation.expires_at()
    if choices.json:
        ok = all(each.ok for each in reached)
        consent_until = None if until is None else until.isoformat()
        show.print_json({"connection": connected.id, "ok": ok, "consent_until": consent_until,
                         "reached": [_facts(each) for each in reached]})  # fmt: skip
        return
    ends = "" if until is None else f"; the consent ends on {until:%Y-%m-%d}"
    click.echo(f"Connected {', '.join(each.connection for each in reached)}{ends}.")
    for each in reached:
        for account in each.accounts:
            mark = "   <- configured" if account.ref == each.configured else ""
            region = f", {account.region}" if account.region else ""
            name = account.ref if account.name == account.ref else f"{account.ref} ({account.name}{region})"
            click.echo(f"  {each.connection} reaches {show.clean(name)}{mark}")
        for finding in each.findings:
            if not finding.ok:
                click.echo(f"  {each.connection} lacks: {show.clean(finding.what)}. {show.clean(finding.do)}")
        if not each.is_reached:
            _tell_what_to_write(each, connected)


def _tell_what_to_write(reach: Reach, connected: Connected) -> None:
    click.echo(f"  {reach.connection}: the configured {reach.setting} {reach.configured} is not among them.")
    if connected.consent_note:
        click.echo(f"  The likely cause: {connected.consent_note}")
    click.echo(
        f"  Consent with the account that owns it, or write under connections/{reach.connection}/settings one of:"
    )
    for account in reach.accounts:
        click.echo(f'    {reach.setting}: "{show.clean(account.ref)}"')


def _facts(reach: Reach) -> dict[str, Any]:
    return {
        "connection": reach.connection,
        "ok": reach.ok,
        "accounts": [account.model_dump() for account in reach.accounts],
        "setting": reach.setting or None,
        "configured": reach.configured,
        "is_reached": reach.is_reached,
        "findings": [finding.model_dump() for finding in reach.findings],
    }
