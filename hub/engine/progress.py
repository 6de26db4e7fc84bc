"""What a pass, or a daemon, has done so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.contract import HubError
from hub.engine.ledger import Recorded


@dataclass(slots=True)
class Progress:
    """What a pass has done so far; ``tell`` is called after each step."""

    tell: Callable[[Progress], None] = lambda progress: None
    pulled: int = 0
    recorded: Recorded = field(default_factory=Recorded)
    released: int = 0
    sent: int = 0
    doing: str = ""
    errors: dict[str, HubError] = field(default_factory=dict)
    busy: list[str] = field(default_factory=list)

    def step(self, doing: str) -> None:
        """Say what is being done now."""
        self.doing = doing
        self.tell(self)
