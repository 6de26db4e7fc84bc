"""A buyer at the till: whether TikTok lets the order be placed, and the order if it does."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

from tiktok_simulator.catalogue.notices import BY_SELLER, tell_edited, tell_stock
from tiktok_simulator.catalogue.product import ACTIVE, Product, Sku
from tiktok_simulator.wire import ControlError, Json
from tiktok_simulator.world import World


def buy(world: World, wish: Json) -> Json:
    """`POST /_sim/buy`: an order spec with `lines` of `sku` and `quantity`; nothing is placed that is not there."""
    lines: list[Json] = wish.get("lines") or [{name: wish.pop(name) for name in ("sku", "quantity") if name in wish}]
    shop = world.shops.shop(wish.get("shop"))
    needed: Counter[str] = Counter()
    priced = []
    for line in lines:
        known = world.products.find(shop.id, str(line.get("sku", "")))
        if known is None:
            return _refused("unknown_sku", line)
        product, sku = known
        if not _is_on_sale(product, sku):
            return _refused("not_on_sale", line)
        count = int(line.get("quantity", 1))
        for sku_id, each in _pieces(sku):
            needed[sku_id] += count * each
        priced.append({"price": str(sku.price), **line})
    warehouse = _warehouse(world, shop.id, needed, wish.get("warehouse_id"))
    if warehouse is None and world.options["sell_below_zero"] == "no":
        left = {world.products.by_sku_id[one][1].goods.seller_sku: _left(world, one) for one in needed}
        return {"bought": False, "reason": "out_of_stock", "available": left}
    spec = wish | {"lines": priced} | ({"warehouse_id": warehouse} if warehouse else {})
    (order_id,) = world.add_orders(spec, int(world.clock.now()))
    world.settle()
    return {"bought": True, "order_id": order_id, "order": world.order_summary(world.orders.by_id[order_id])}


def _refused(reason: str, line: Json) -> Json:
    return {"bought": False, "reason": reason, "sku": str(line.get("sku", ""))}


def _is_on_sale(product: Product, sku: Sku) -> bool:
    return product.status == ACTIVE and not sku.is_off


def _pieces(sku: Sku) -> list[tuple[str, int]]:
    """What one piece of a SKU takes from stock: itself, or the parts of a bundle."""
    return [(part.goods.sku_id, part.count) for part in sku.parts] or [(sku.goods.sku_id, 1)]


def _left(world: World, sku_id: str) -> int:
    known = world.products.by_sku_id.get(sku_id)
    return sum(stock.shown for stock in known[1].stock.values()) if known else 0


def _warehouse(world: World, shop_id: str, needed: Counter[str], asked: str | None) -> str | None:
    """The first warehouse that can serve the whole order, the usual one before others."""
    first = world.shops.ships_from(shop_id, fbt=False)
    others = world.products.sales_warehouses(shop_id)
    for key in [asked] if asked else dict.fromkeys([first, *others]):
        if all(_has(world, sku_id, key, count) for sku_id, count in needed.items()):
            return key
    return None


def _has(world: World, sku_id: str, warehouse_id: str, count: int) -> bool:
    known = world.products.by_sku_id.get(sku_id)
    stock = known[1].stock.get(warehouse_id) if known else None
    return stock is not None and stock.available >= count


def set_sku(world: World, wish: Json) -> Json:
    """`POST /_sim/sku`: what the seller or TikTok does to one SKU outside the API.

    `{"sku" | "sku_id", "shop", "stock": n | {warehouse: n}, "promotion", "off", "seller_sku", "price"}`
    """
    unknown = set(wish) - {"sku", "sku_id", "shop", "stock", "promotion", "off", "seller_sku", "price"}
    if unknown:
        raise ControlError(f"a SKU has no {sorted(unknown)}")
    shop = world.shops.shop(wish.get("shop"))
    known = (
        world.products.by_sku_id.get(str(wish["sku_id"]))
        if "sku_id" in wish
        else world.products.find(shop.id, str(wish.get("sku", "")))
    )
    if known is None:
        raise ControlError("no such SKU", 404)
    product, sku = known
    if "stock" in wish:
        given = world.products.stock_of(product.shop, wish["stock"], sku.goods.seller_sku)
        for key, stock in given.items():
            held = sku.stock.setdefault(key, stock)
            before, held.available = held.available, stock.available
            tell_stock(world.outlet, product, sku, stock.available - before, 0, "seller_edited")
    sku.in_promotion = bool(wish.get("promotion", sku.in_promotion))
    sku.is_off = bool(wish.get("off", sku.is_off))
    sku.price = Decimal(str(wish.get("price", sku.price)))
    if "seller_sku" in wish:
        world.products.unlink(product.skus)
        sku.goods = replace(sku.goods, seller_sku=str(wish["seller_sku"]))
        world.products.link(product)
        product.update_time = int(world.clock.now())
        tell_edited(world.outlet, product, ["skus"], BY_SELLER, product.update_time)
    return {"product_id": product.id, "stock": world.products.stocks()[sku.goods.sku_id]}
