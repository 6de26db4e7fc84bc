"""What a failure looks like: what happened, where, what to do; never a traceback unless asked for."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

import click
import structlog

from hub.cli.options import Choices
from hub.contract import HubError


def tell(error: Exception, choices: Choices) -> int:
    """Print a failure for a person, and as JSON where asked; return the exit code."""
    facts = facts_of(error)
    if choices.json:
        click.echo(json.dumps({"error": facts}, indent=2, ensure_ascii=False))
    if choices.log_json:
        log = structlog.get_logger("hub")
        log.error("hub-failed", **facts, **({"traceback": traceback.format_exception(error)} if choices.debug else {}))
        return 1
    if choices.debug:
        traceback.print_exception(error, file=sys.stderr)
    for fault in facts.get("faults", ()):
        click.echo(fault["text"], err=True)
    show(facts)
    return 1


def show(facts: dict[str, Any]) -> None:
    """Print what, where and do on stderr."""
    click.echo(f"{click.style(facts['code'], fg='red', bold=True)}: {facts['what']}", err=True)
    click.echo(f"  where: {facts['where']}", err=True)
    click.echo(f"  do:    {facts['do']}", err=True)


def facts_of(error: Exception) -> dict[str, Any]:
    """Return an error as what, where and do; an unexpected one asks to be reported."""
    if isinstance(error, HubError):
        facts: dict[str, Any] = {"code": error.code, "what": error.what, "where": error.where, "do": error.do}
        faults = getattr(error, "faults", ())
        if faults:
            facts["faults"] = [
                {
                    "line": fault.line, "column": fault.column, "pointer": fault.pointer, "code": fault.code,
                    "what": fault.what, "do": fault.do, "text": fault.text(error.where),
                }
                for fault in faults
            ]  # fmt: skip
        return facts
    if isinstance(error, OSError):
        return {
            "code": "file-failed",
            "what": error.strerror or type(error).__name__,
            "where": str(error.filename or "this machine"),
            "do": "Check that the path exists, that this user may use it, and that the disk has room.",
        }
    return {
        "code": "internal-error",
        "what": f"the hub failed unexpectedly with {type(error).__name__}",
        "where": _place(error),
        "do": "This is a defect of the hub; nothing is lost. Report it with the output of the same command and "
        "--debug (it may quote data: read it before you send it).",
    }


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "unknown"
