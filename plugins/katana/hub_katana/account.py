"""The account itself: is the credential good, and from where may orders leave."""

from __future__ import annotations

from hub.contract import Account as Reached
from hub.contract import ConfigurationError, Connection, Finding, Location
from hub_katana.answers import Row
from hub_katana.auth import reconnecting
from hub_katana.client import Client
from hub_katana.failures import RefusedError
from hub_katana.settings import KatanaSettings
from hub_katana.translate import location

BASE_CURRENCY = "base-currency"


class Account:
    """Reads what an account is and has; changes nothing."""

    def __init__(self, connection: Connection[KatanaSettings], client: Client) -> None:
        self._connection = connection
        self._client = client

    def check(self) -> list[Finding]:
        """Prove the key or token and name what is missing, in three calls (K-02, K-27, K-28).

        Raises: AuthorizationError where the key is refused, ConfigurationError where api_url is not Katana's API.
        """
        try:
            self._client.get("/user_info")
        except RefusedError as refused:
            what = f"api_url does not lead to Katana's API: {refused.what}"
            do = "Set api_url to https://api.katanamrp.com/v1, or leave it out."
            raise ConfigurationError("api-url-wrong", what, where=refused.where, do=do) from refused
        factory = self._client.get("/factory")
        listings = self._client.pages("/locations", [("sales_allowed", "true")])
        selling = [row for listing in listings for row in listing.rows if row.get("sales_allowed")]
        name = _name(factory)
        currency = factory.get("base_currency_code") or "no base currency"
        credential = reconnecting(self._connection.settings, self._connection.id).credential
        key = Finding(ok=True, what=f"the {credential} opens the Katana account {name} ({currency})")
        return [key, *_about_locations(selling, factory)]

    def locations(self) -> list[Location]:
        """Read every location; the factory names the default one, else it is the primary one."""
        factory = self._client.get("/factory")
        remember_currency(self._connection, factory)
        default_id = factory.get("default_sales_location_id")
        rows = {int(row["id"]): row for listing in self._client.pages("/locations") for row in listing.rows}
        known = default_id if default_id in rows else None
        return [location(row, known) for row in rows.values()]

    def accounts(self) -> list[Reached]:
        """Read which account the credential opens: always one, in one call; it has no id of its own (K-28)."""
        name = _name(self._client.get("/factory"))
        return [Reached(ref=name, name=name, setting="")]


def remember_currency(connection: Connection[KatanaSettings], factory: Row) -> None:
    """Remember what currency the account's own prices are in, so that reading variants costs no call for it (K-28)."""
    currency = factory.get("base_currency_code")
    if isinstance(currency, str) and currency != connection.memory.get(BASE_CURRENCY):
        connection.memory.set(BASE_CURRENCY, currency)


def _name(factory: Row) -> str:
    return str(factory.get("display_name") or factory.get("legal_name") or "unnamed")


def _about_locations(selling: list[Row], factory: Row) -> list[Finding]:
    if not selling:
        do = "In Katana, under Settings > Locations, allow sales at the location that orders leave from."
        return [Finding(ok=False, what="no location may sell, so no sales order can be made", do=do)]
    names = ", ".join(sorted(str(row.get("name") or row["id"]) for row in selling))
    may_sell = Finding(ok=True, what=f"orders may leave from: {names}")
    default_id = factory.get("default_sales_location_id")
    if any(row["id"] == default_id or (default_id is None and row.get("is_primary")) for row in selling):
        return [may_sell]
    do = "Set a default sales location in Katana's settings, or name a location in each route."
    return [may_sell, Finding(ok=False, what="the default location for sales may not sell, or there is none", do=do)]
