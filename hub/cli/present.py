"""The present instant, for commands that only look at the ledger or write to it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

from hub.cli.options import Choices
from hub.contract import HubError


def now_of(choices: Choices) -> datetime:
    """Return the present instant, of the simulated clock where the route file names one that answers."""
    try:
        if "clock:" in choices.route_file.read_text("utf-8", errors="replace"):
            # Reading the route file needs every connector; only a simulated clock is worth that time.
            from hub.cli.opening import read_routes
            from hub.engine.world import choose_clock

            with closing(choose_clock(read_routes(choices)[0])) as clock:
                return clock.now()
    except (HubError, OSError):
        pass
    return datetime.now(UTC)
