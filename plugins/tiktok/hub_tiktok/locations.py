"""The warehouses of a shop as Locations."""

from __future__ import annotations

import json

from hub.contract import ConfigurationError, Connection, Location, LocationKind, RejectedError
from hub_tiktok.client import Client
from hub_tiktok.endpoints import FBT, FBT_WAREHOUSES, WAREHOUSES
from hub_tiktok.errors import CipherUnwantedError, RefusedError
from hub_tiktok.payload import Json, children, flag, text, texts
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops

KINDS = {"SALES_WAREHOUSE": LocationKind.SHIPS, "RETURN_WAREHOUSE": LocationKind.RETURNS}  # T-78

OWN_PLACES = "fbt-warehouses"
PARAMETER = 36009004  # T-37


class Warehouses:
    """Reads the warehouses: one call, and one more where the consent covers TikTok's own."""

    def __init__(self, connection: Connection[TikTokSettings], client: Client, shops: Shops) -> None:
        self._connection = connection
        self._client = client
        self._shops = shops

    def locations(self) -> list[Location]:
        """Return every warehouse once; TikTok's own are CHANNEL, as far as the consent lets us tell (T-77)."""
        answer = self._shops.call(WAREHOUSES)
        run_by_channel = self._run_by_channel()
        self._connection.memory.set(OWN_PLACES, json.dumps(sorted(run_by_channel)))
        places = {place.ref: place for place in map(_location, children(answer, "warehouses")) if place}
        for ref, name in run_by_channel.items():
            listed = places.get(ref) or Location(ref=ref, name=name, kind=LocationKind.CHANNEL)
            places[ref] = listed.model_copy(update={"kind": LocationKind.CHANNEL})
        return list(places.values())

    def channel_run(self) -> frozenset[str]:
        """Return the ids of TikTok's own warehouses, from memory where possible."""
        if FBT not in self._connection.tokens.scopes():
            return frozenset()
        known = self._connection.memory.get(OWN_PLACES)
        if known is None:
            known = json.dumps(sorted(self._run_by_channel()))
            self._connection.memory.set(OWN_PLACES, known)
        return frozenset(texts({"ids": json.loads(known)}, "ids"))

    def _run_by_channel(self) -> dict[str, str]:
        """Return names by warehouse id; empty where the scope is missing or the call is refused, as off board.

        What is wrong with the connection itself shows in every call, so nothing is hidden by that.
        """
        if FBT not in self._connection.tokens.scopes():
            return {}
        try:
            data = self._fbt_warehouses()
        except (RejectedError, ConfigurationError) as error:
            self._connection.log.warning("fbt-warehouses-refused", reason=error.what)
            return {}
        # T-92: the sources name the fields but not the list; whichever list has such objects is the one
        listed = [item for name in data for item in children(data, name) if "warehouse_ids" in item]
        return {ref: text(item, "name") or ref for item in listed for ref in texts(item, "warehouse_ids")}

    def _fbt_warehouses(self) -> Json:
        try:  # T-92: whether this call takes the cipher is not known
            return self._shops.call(FBT_WAREHOUSES)
        except CipherUnwantedError:
            pass
        except RefusedError as error:
            if error.vendor_code != PARAMETER:  # which may be about the cipher, and not say so (T-21)
                raise
        return self._client.call(FBT_WAREHOUSES).data


def _location(item: Json) -> Location | None:
    ref = text(item, "id")
    if not ref:
        return None
    return Location(
        ref=ref,
        name=text(item, "name") or ref,
        # A kind that is new to us is neither stocked nor shipped from.
        kind=KINDS.get(text(item, "type"), LocationKind.CHANNEL),
        is_default=flag(item, "is_default"),
        usable=text(item, "effect_status") == "ENABLED",
    )
