"""The demo's neutral catalogue and the route file that goes with it; no system is named here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

LOCATIONS = ["Main warehouse", "West"]
_GOODS = (
    ("MUG-BLUE", "Mug, blue", "14.90", 400), ("MUG-GREEN", "Mug, green", "14.90", 380),
    ("MUG-TRAVEL", "Travel mug", "24.50", 220), ("TEA-ASSAM-50", "Assam tea, 50 g", "7.20", 900),
    ("TEA-SENCHA-50", "Sencha tea, 50 g", "8.40", 760), ("TEA-MINT-50", "Mint tea, 50 g", "6.10", 640),
    ("POT-CAST-1L", "Teapot, cast iron, 1 l", "54.00", 90), ("POT-GLASS-1L", "Teapot, glass, 1 l", "32.00", 140),
    ("STRAINER", "Tea strainer", "9.99", 310), ("TIN-100", "Tea tin, 100 g", "5.49", 500),
    ("KETTLE-08", "Kettle, 0.8 l", "39.95", 75), ("HONEY-250", "Honey, 250 g", "11.35", 260),
)  # fmt: skip
CATALOGUE: list[dict[str, Any]] = [
    *({"sku": sku, "name": name, "price": price, "currency": "USD", "stock": stock, "kind": "normal"}
      for sku, name, price, stock in _GOODS),
    {"sku": "GIFT-CARD", "name": "Greeting card", "price": "2.00", "currency": "USD", "stock": 999, "kind": "gift"},
    {"sku": "SAMPLE-TEA", "name": "Tea sample", "price": "1.50", "currency": "USD", "stock": 500, "kind": "sample"},
    {"sku": "CUP", "name": "Cup", "price": "9.00", "currency": "USD", "stock": 300, "kind": "bundle_part"},
    {"sku": "SAUCER", "name": "Saucer", "price": "6.00", "currency": "USD", "stock": 300, "kind": "bundle_part"},
]  # fmt: skip

_HEAD = """\
# Written by 'hub demo'. Both connections are simulators on this machine; 'clock' lets simulated hours pass in seconds.
version: 1
clock: {clock}
connections:
"""
_ROUTES = """\
routes:
  - name: united-kingdom          # prices contain 20 % tax, so the sales order names it
    channel: shop
    erp: factory
    orders:
      start: {start}
      hold: 60m
      when: {{region: [GB]}}
      location: {{default: Main warehouse, by_channel_location: {{West: West}}}}
      tax: {{mode: fixed, rate: 20, create_rates: true}}
  - name: everywhere-else
    channel: shop
    erp: factory
    orders:
      start: {start}
      hold: 60m
      location: {{default: Main warehouse, by_channel_location: {{West: West}}}}
      tax: none
"""


def route_file(
    clock: str, start: datetime, connections: Mapping[str, tuple[str, Mapping[str, str], frozenset[str]]]
) -> str:
    """Return the demo's route file.

    Args:
        connections: by id, the connector, its settings, and which of them are secrets, kept in secrets/ID-SETTING.
    """
    text = _HEAD.format(clock=clock)
    for id_, (connector, settings, secrets) in connections.items():
        text += f"  {id_}:\n    connector: {connector}\n    settings:\n"
        for name, value in settings.items():
            shown = f"{{file: {secret_file(id_, name)}}}" if name in secrets else json.dumps(value)
            text += f"      {name}: {shown}\n"
    return text + _ROUTES.format(start=start.strftime("%Y-%m-%dT%H:%M:%SZ"))


def secret_file(connection: str, setting: str) -> str:
    """Return where a secret of the demo lies, beside the route file."""
    return f"secrets/{connection}-{setting}"
