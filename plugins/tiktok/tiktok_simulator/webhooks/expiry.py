"""The daily word that an authorisation is about to end."""

from __future__ import annotations

from tiktok_simulator.shops import Shops
from tiktok_simulator.tokens import Tokens
from tiktok_simulator.webhooks.outlet import Outlet
from tiktok_simulator.webhooks.topics import EXPIRING

DAY_S, AHEAD_DAYS = 86_400, 30


class Expiry:
    """Tells at each midnight of the last thirty days, until the authorisation is renewed (T-131)."""

    def __init__(self, tokens: Tokens, shops: Shops, outlet: Outlet, now: float) -> None:
        self._tokens, self._shops, self._outlet = tokens, shops, outlet
        self._day = int(now) // DAY_S

    def look(self, now: float) -> None:
        """Make up for the midnights since the last look; a clock that was set back begins anew."""
        today = int(now) // DAY_S
        if today == self._day:
            return
        first, self._day = max(self._day + 1, today - AHEAD_DAYS), today
        ends = self._tokens.authorisation_ends()
        for midnight in (day * DAY_S for day in range(first, today + 1)):
            if ends is not None and 0 < ends - midnight <= AHEAD_DAYS * DAY_S:
                for shop in self._shops.authorised:
                    data = {"message": "The authorisation is about to expire", "expiration_time": str(ends)}
                    self._outlet.tell(shop.id, EXPIRING, data, midnight)
