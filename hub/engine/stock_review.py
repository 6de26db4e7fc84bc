"""How the numbers that channels sell came about, term by term, for a person; from the ledger alone, no call is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.contract import HubError
from hub.engine.sellable import Planned, plan, ruler, scene
from hub.engine.world import World
from hub.engine.write_stock import terms


@dataclass(frozen=True, slots=True)
class StockView:
    """One SKU of one channel: what it should sell, what it sells by our last word, and why they may differ.

    ``terms`` hold every number by name; ``why`` says why there is no target, ``refused`` why the last push failed.
    """

    channel: str
    erp: str
    sku: str | None
    ref: str
    name: str
    target: dict[str, int] | None
    sells: dict[str, int] | None
    told_at: datetime | None
    read_at: datetime | None
    levels_read_at: datetime | None
    terms: dict[str, Any] | None
    why: dict[str, str] | None
    refused: dict[str, Any] | None
    retry_at: datetime | None


def review(world: World, sku: str | None = None) -> list[StockView]:
    """Return every SKU of every shop that sells an ERP's stock, or those of one SKU, on either side.

    Raises:
        HubError: no shop sells this SKU, or no stock is sent at all.
    """
    channels = dict.fromkeys(route.channel for route in world.routes)
    shops = {name: route for name in channels if (route := ruler(world, name)) is not None}
    if not shops:
        do = "Switch inventory on in a route whose connectors know stock; see docs/routes.md."
        raise HubError("stock-off", "no route sends stock", where=str(world.config.path), do=do)
    found: list[StockView] = []
    for erp in dict.fromkeys(route.erp for route in shops.values()):
        with world.store.read() as tx:
            made = scene(tx, world, erp)
        for channel in (name for name, route in shops.items() if route.erp == erp):
            found += [_view(channel, erp, each) for each in plan(made, channel) if _is_of(each, sku)]
    if sku is not None and not found:
        what = f"no shop sells SKU {sku!r}, as far as its catalogue is known"
        raise HubError("sku-unknown", what, where="the ledger", do="hub products --refresh reads the catalogues anew.")
    return sorted(found, key=lambda each: (each.channel, each.sku or "", each.ref))


def _is_of(each: Planned, sku: str | None) -> bool:
    return sku is None or sku == each.item.row.sku or sku in each.item.parts


def _view(channel: str, erp: str, each: Planned) -> StockView:
    row, stock, target = each.item.row, each.item.stock, each.target
    why = {"code": each.why.code, "what": each.why.what, "do": each.why.do} if each.why is not None else None
    return StockView(
        channel=channel, erp=erp, sku=row.sku, ref=row.ref, name=row.name,
        target=dict(target.quantities) if target is not None else None,
        sells=dict(each.item.reckoned.quantities) if each.item.reckoned is not None else None,
        told_at=stock.pushed_at if stock is not None else None,
        read_at=stock.read_at if stock is not None else None,
        levels_read_at=target.read_at if target is not None else None,
        terms=terms(target) if target is not None else None,
        why=why,
        refused=stock.reason if stock is not None else None,
        retry_at=stock.retry_at if stock is not None else None,
    )  # fmt: skip
