"""Who may bring parcels: the shipping providers of a delivery option, kept for a day (T-109)."""

from __future__ import annotations

import json

from hub.contract import Carrier, Connection
from hub_tiktok.endpoints import CARRIERS
from hub_tiktok.payload import children, parse, text, whole
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops

DAY_S = 86_400


class Carriers:
    """Reads the carriers of a delivery option: one call a day, and one more after TikTok refused one of them."""

    def __init__(self, connection: Connection[TikTokSettings], shops: Shops) -> None:
        self._connection = connection
        self._shops = shops

    def of(self, delivery_ref: str) -> list[Carrier]:
        """Return who may bring parcels of one delivery option."""
        now = int(self._connection.clock.now().timestamp())
        kept = parse((self._connection.memory.get(_key(delivery_ref)) or "").encode()) or {}
        if not 0 <= now - (whole(kept, "at") or 0) < DAY_S:
            data = self._shops.call(CARRIERS, ids={"option_id": delivery_ref})
            listed = [
                {"id": text(item, "id"), "name": text(item, "name")} for item in children(data, "shipping_providers")
            ]
            kept = {"at": now, "carriers": listed}
            self._connection.memory.set(_key(delivery_ref), json.dumps(kept))
        named = [item for item in children(kept, "carriers") if text(item, "id")]
        return [Carrier(ref=text(item, "id"), name=text(item, "name") or text(item, "id")) for item in named]

    def forget(self, delivery_ref: str) -> None:
        """Have them read again at the next question."""
        self._connection.memory.forget(_key(delivery_ref))


def _key(delivery_ref: str) -> str:
    return f"carriers:{delivery_ref}"
