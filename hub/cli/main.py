"""The command ``hub``: its table of commands, and what a failure looks like."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

import click

from hub import __version__
from hub.cli.lazy import LazyGroup
from hub.cli.options import Choices, with_common

INTERRUPTED = 130
SECTIONS = {
    "Set up": {
        "init": ("hub.cli.init:init", "Write a route file to start from."),
        "check": ("hub.cli.check:check", "Check the route file; --online also every connection."),
        "schema": ("hub.cli.plugins:schema", "Print the route file's JSON Schema, for your editor."),
        "connect": ("hub.cli.connect:connect", "Connect a connection: by consent, or by a key the hub keeps."),
        "connectors": ("hub.cli.plugins:connectors", "List the installed connectors."),
        "locations": ("hub.cli.locations:locations", "List the locations of each connection."),
        "webhooks": ("hub.cli.webhooks:webhooks", "Have connections tell the hub of news; list what they deliver."),
    },
    "Run": {
        "sync": ("hub.cli.sync:sync", "Do one pass: read, release, place; --dry-run shows it first."),
        "plan": ("hub.cli.plan:plan", "Show every write of the next pass, as a diff; keep it in a file."),
        "apply": ("hub.cli.plan:apply", "Do a planned pass, unless it would write anything else now."),
        "run": ("hub.cli.run:run", "Keep doing it until stopped."),
    },
    "Look and act": {
        "orders": ("hub.cli.orders:orders", "List orders and where they stand."),
        "order": ("hub.cli.order:order", "Show one order: its fate, why, and all that happened."),
        "hold": ("hub.cli.hand:hold", "Hold an order by hand, or release it."),
        "products": ("hub.cli.products:products", "List products of both sides; switch them on or off."),
        "stock": ("hub.cli.stock:stock", "Show what each channel sells, and how the number came about."),
        "reconcile": ("hub.cli.reconcile:reconcile", "Prove that no order was lost or doubled."),
        "forecast": ("hub.cli.forecast:forecast", "Say how long the queued work will take."),
        "retry": ("hub.cli.hand:retry", "Try a blocked order again."),
    },
    "Keep": {
        "backup": ("hub.cli.backup:backup", "Copy the database, also while the hub runs."),
        "upgrade": ("hub.cli.upgrade:upgrade", "Bring the tables of an earlier version forward."),
    },
    "Try out": {
        "demo": ("hub.cli.demo:demo", "Run the whole flow against simulators, on this machine only."),
        "simulate": ("hub.cli.simulate:simulate", "Run one simulator."),
    },
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="The options above go before a command or after it. Exit codes: 0 done, 1 refused or failed, 2 misused.",
)
@click.version_option(__version__, message="hub %(version)s")
@click.pass_context
def hub(context: click.Context) -> None:
    """Carries orders from sales channels to ERPs, as the route file says.

    Begin with 'hub demo' to see it work, or with 'hub init' to set it up.
    """
    context.ensure_object(Choices)


with_common(hub)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; no expected failure shows a traceback."""
    choices = Choices()
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        code = hub.main(args, prog_name="hub", standalone_mode=False, obj=choices)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("hub: interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has read enough; the interpreter's own flush must not complain of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        from hub.cli.failure import tell  # what explains a failure takes long to import

        return tell(error, choices)
    return code if isinstance(code, int) else 0
