"""The demo's neutral catalogue, its folder, and the route file that goes with it; no system is named here."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

LOCATIONS = ["Main warehouse", "West"]
CHANNELS_OWN, RETURNS_DESK = "Channel's own warehouse", "Returns desk"
COURIER = "House courier"  # what the ERP's people call a carrier that the channel calls otherwise
BUFFER = 2
NEW_SKU, BARE_SKU = "MUG-ENAMEL", "MUG-PLAIN"  # new in the ERP: one with a picture and words, one without
TEA = "TEA-"  # the SKUs that one route leaves out where the channel ships them
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


def goods(orders: int) -> list[dict[str, Any]]:
    """Return the catalogue with stock for so many orders."""
    return [{**each, "stock": each["stock"] * (1 + orders // 300)} for each in CATALOGUE]


_HEAD = """\
# Written by 'hub demo'. Both connections are simulators on this machine; 'clock' lets simulated hours pass in seconds.
version: 1
clock: {clock}
connections:
"""
_ROUTES = """\
routes:                             # an order takes the first route that fits it
  - name: united-kingdom            # prices contain 20 % tax, so the sales order names it
    channel: shop
    erp: factory
    orders:
      start: {start}
      hold: 60m
      when: {{region: [GB]}}
      location: {{default: Main warehouse, by_channel_location: {{West: West}}}}
      tax: {{mode: fixed, rate: 20, create_rates: true}}
  - name: tea-of-the-channel        # what the channel ships from its own warehouse may be left out
    channel: shop
    erp: factory
    orders:
      start: {start}
      when: {{fulfilled_by: channel, skus: ["{tea}*"]}}
      fulfilled_by_channel: skip
  - name: everywhere-else
    channel: shop
    erp: factory
    orders:                         # channel to ERP
      start: {start}
      hold: 60m                     # the buyer may still change or cancel; nothing leaves before
      location: {{default: Main warehouse, by_channel_location: {{West: West}}}}
      tax: none
      fulfilled_by_channel: {{record_as_done: {{location: {channels_own}}}}}   # or recorded, once it is shipped
      on_cancel: delete             # a cancelled order's sales order goes, unless something of it is packed
      on_change: update             # and of one that is cancelled in part, the rows change
      on_cancel_request: by_state   # a buyer who asks to cancel may, while nothing is packed
    fulfillments:                   # ERP to channel
      carriers: {{{courier}: {carrier}}}   # left: the ERP's name; right: the channel's
      without_tracking: wait
    inventory:                      # ERP to channel; this section rules the whole shop
      every: 1h                     # all stock is compared so often
      decreases: at_once
      buffer: {{units: {buffer}}}            # kept back of each SKU: what may sell between two looks
      locations: {{Main warehouse: [{{location: Main warehouse}}], West: [{{location: West}}]}}
    products:                       # ERP to channel
      disabled: ["SAMPLE-*"]        # takes no part: neither stock nor listing goes out
      publish: draft
      skus: ["MUG-*"]               # of these, what the channel lacks is listed
      images: images                # files named by SKU, beside this one
      weight: 420g
      size_cm: [12, 10, 10]
    returns:                        # channel to ERP
      enabled: true
      locations: {{Main warehouse: {returns_desk}}}
      default: {returns_desk}         # where the channel does not say to which warehouse
"""
SECTIONS = ("orders", "fulfillments", "inventory", "products")


def route_file(
    clock: str,
    start: datetime,
    connections: Mapping[str, tuple[str, Mapping[str, str], frozenset[str]]],
    carrier: str,
    off: str | None = None,
) -> str:
    """Return the demo's route file.

    Args:
        connections: by id, the connector, its settings, and which of them are secrets, kept in secrets/ID-SETTING.
        carrier: the channel's name of a carrier.
        off: the section that is switched off in every route.
    """
    text = _HEAD.format(clock=clock)
    for id_, (connector, settings, secrets) in connections.items():
        text += f"  {id_}:\n    connector: {connector}\n    settings:\n"
        for name, value in settings.items():
            shown = f"{{file: {secret_file(id_, name)}}}" if name in secrets else json.dumps(value)
            text += f"      {name}: {shown}\n"
    routes = _ROUTES.format(
        start=start.strftime("%Y-%m-%dT%H:%M:%SZ"), carrier=json.dumps(carrier), courier=COURIER, buffer=BUFFER,
        channels_own=CHANNELS_OWN, returns_desk=RETURNS_DESK, tea=TEA,
    )  # fmt: skip
    return text + (routes if off is None else _switched_off(routes, off))


def _switched_off(routes: str, section: str) -> str:
    head, *each = routes.split("  - name:")
    for number, route in enumerate(each):
        before, found, after = route.partition(f"    {section}:")
        if found:
            note, _, rest = after.partition("\n")
            each[number] = f"{before}{found}{note}\n      enabled: false\n{rest}"
        else:
            each[number] = f"{route}    {section}: {{enabled: false}}\n"
    return "  - name:".join([head, *each])


def secret_file(connection: str, setting: str) -> str:
    """Return where a secret of the demo lies, beside the route file."""
    return f"secrets/{connection}-{setting}"


def write_goods(folder: Path, *skus: str) -> None:
    """Put a picture and words of each SKU where the route file says they are."""
    (folder / "images").mkdir(exist_ok=True)
    for sku in skus:
        (folder / "images" / f"{sku}.png").write_bytes(_picture())
        (folder / "images" / f"{sku}.txt").write_text("Enamelled steel, 0.35 l. Not for the microwave.")


def _picture(side: int = 400) -> bytes:
    """Return a grey square as PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = zlib.compress((b"\0" + b"\xc8" * side) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
