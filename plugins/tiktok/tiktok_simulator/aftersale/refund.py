"""What the buyer gets back for some units, as both kinds of records show it (10)."""

from __future__ import annotations

from decimal import Decimal

from tiktok_simulator.markets import MARKETS
from tiktok_simulator.money import money_of, text
from tiktok_simulator.order import Order, Unit
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World


def refund_of(world: World, order: Order, units: list[Unit]) -> Json:
    """The refund of these units; the shipping fee comes back only with the whole order."""
    money, market = money_of(order, world.options), MARKETS[order.market]
    ids = {unit.id for unit in units}
    ours = [one for unit, one in zip(order.units, money.units, strict=True) if unit.id in ids]
    goods = sum((one.sale for one in ours), Decimal(0))
    tax = sum((one.tax for one in ours), Decimal(0))
    whole = len(ids) == len(order.units)
    shipping = money.shipping_fee if whole else Decimal(0)
    tax += money.shipping_tax if whole else Decimal(0)
    return {
        "currency": market.currency,
        "refund_total": text(goods + tax + shipping, market),
        "refund_subtotal": text(goods, market),
        "refund_shipping_fee": text(shipping, market),
        "refund_tax": text(tax, market),
    }


def lines_of(world: World, order: Order, units: list[Unit], record_id: str, kind: str) -> list[Json]:
    """The lines of a record; `kind` names their id."""
    return [
        {
            f"{kind}_line_item_id": f"{record_id}{number:02d}",
            "order_line_item_id": unit.id,
            "sku_id": unit.goods.sku_id,
            "sku_name": unit.goods.sku_name,
            "product_name": unit.goods.product_name,
            "seller_sku": unit.goods.seller_sku,
            "refund_amount": refund_of(world, order, [unit]),
        }
        for number, unit in enumerate(units, 1)
    ]
