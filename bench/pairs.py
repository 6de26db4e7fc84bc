"""Many shops, each with an ERP Connection of its own, against one pair of simulators."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bench.shop import VARIANTS, Shop

HEAD = "version: 1\n{clock}connections:\n"
PAIR = """\
  shop{n}:
    connector: tiktok
    settings:
      app_key: ${{APP_KEY}}
      app_secret: ${{APP_SECRET}}
      refresh_token: ${{REFRESH_TOKEN}}
      shop: "{shop}"
      api_url: {channel}
      auth_url: {channel}
      consent_url: {channel}/open/authorize
      requests_per_second: 50
  factory{n}:
    connector: katana
    settings: {{api_key: "${{API_KEY}}", api_url: "{erp}/v1", requests_per_minute: 1000000}}
"""
ROUTE = """\
  - name: route{n}
    channel: shop{n}
    erp: factory{n}
    orders: {{start: 2026-03-01}}
{sections}
"""
ORDERS_ONLY = """\
    fulfillments: {enabled: false}
    inventory: {enabled: false}"""


def shop_id(number: int) -> str:
    """Return the channel's id of a shop."""
    return str(7495000000000000000 + number)


def seed(opened: Shop, pairs: int, orders: list[dict[str, Any]]) -> None:
    """Have nothing outside but these shops and what their buyers ordered."""
    shops = [{"id": shop_id(n), "name": f"Shop {n}", "region": "US"} for n in range(pairs)]
    opened.control("katana", "seed", {"reset": True, "variants": VARIANTS})
    opened.control("tiktok", "seed", {"reset": True, "shops": shops, "orders": orders})


def write_routes(
    opened: Shop, folder: Path, pairs: int, *, sections: str = ORDERS_ONLY, end: str = "", followed: bool = True
) -> None:
    """Write the route file of all of them (``followed``: by the simulators' clock)."""
    told = {"channel": opened.urls["tiktok"], "erp": opened.urls["katana"]}
    text = HEAD.format(clock=f"clock: {told['channel']}/_sim/clock\n" if followed else "")
    text += "".join(PAIR.format(n=n, shop=shop_id(n), **told) for n in range(pairs))
    text += "routes:\n" + "".join(ROUTE.format(n=n, sections=sections) for n in range(pairs))
    (folder / "routes.yaml").write_text(text + end)
