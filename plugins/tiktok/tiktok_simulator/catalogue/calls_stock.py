"""Stock update and stock read (8.4, 8.5)."""

from __future__ import annotations

from tiktok_simulator.catalogue.codes import failed, refusal, text_of
from tiktok_simulator.catalogue.notices import tell_stock
from tiktok_simulator.catalogue.product import ACTIVE, Product, Sku, Stock
from tiktok_simulator.gateway import Call
from tiktok_simulator.params import Params
from tiktok_simulator.shops import SALES, Warehouse
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

MOST = 99_999
ENTRY: Json = {"warehouse_id": str, "quantity*": int, "backorder_quantity": int, "handling_time": int}
UPDATE: Json = {"skus*": [{"id": str, "inventory*": [ENTRY]}]}


def own_product(world: World, call: Call, product_id: str) -> Product:
    """A product of this shop."""
    product = world.products.products.get(product_id)
    if product is None:
        raise refusal(12052260)
    if product.shop != call.of_shop.id:
        raise refusal(12052048)
    return product


def update_stock(world: World, call: Call) -> Json:
    """Set available quantities of one product's SKUs; a SKU that fails is listed, the others are set."""
    params = Params(world, call)
    params.asked()
    wishes: list[Json] = params.shaped(UPDATE)["skus"]
    product = own_product(world, call, call.values["product_id"])
    if product.status != ACTIVE:
        raise refusal(12052901)
    errors = []
    for wish, sku in zip(wishes, _skus(world, product, wishes), strict=True):
        faults = _faults(world, sku, wish["inventory"], product.shop)
        if faults:
            if world.options["stock_errors"] == "call":
                raise refusal(faults[0]["code"])
            errors.append(failed({"sku_id": sku.goods.sku_id, "extra_errors": faults}))
            continue
        for entry in wish["inventory"]:
            stock = sku.stock[entry.get("warehouse_id") or next(iter(sku.stock))]
            before = stock.available
            _set(stock, entry)
            tell_stock(world.outlet, product, sku, stock.available - before, 0, "api_updated")
        world.wrote = True
    if world.wrote and world.options["stock_moves_update_time"] == "yes":
        product.update_time = int(world.clock.now())
    return {"errors": errors} if errors else {}


def _skus(world: World, product: Product, wishes: list[Json]) -> list[Sku]:
    """The SKUs a call names; what is wrong with the list spoils the whole call."""
    if not wishes:
        raise refusal(12052902)
    ids = [str(wish.get("id") or "") for wish in wishes]
    if not all(ids):
        raise refusal(12052036)
    if len(set(ids)) < len(ids):
        raise refusal(12052553)
    found = []
    for one in ids:
        owner, sku = world.products.by_sku_id.get(one, (None, None))
        if sku is None:
            raise refusal(12052556)
        if owner is not product:
            raise refusal(12052557)
        found.append(sku)
    return found


def _faults(world: World, sku: Sku, entries: list[Json], shop_id: str) -> list[Json]:
    """What is wrong with the wish for one SKU, warehouse by warehouse."""
    if sku.parts:
        return [_fault(12052850)]
    named = [str(entry.get("warehouse_id") or "") for entry in entries]
    if not all(named) and (len(sku.stock) != 1 or len(named) != 1):
        return [_fault(12052037)]
    named = [one or next(iter(sku.stock)) for one in named]
    if not named or len(set(named)) < len(named):
        return [_fault(12052037)]
    faults = []
    for one, entry in zip(named, entries, strict=True):
        code = _warehouse_fault(world, sku, one, shop_id) or _quantity_fault(world, sku, sku.stock[one], entry)
        if code:
            faults.append(_fault(code, one))
    if not faults and set(named) != set(sku.stock):
        faults = [_fault(12019028)]
    return faults


def _fault(code: int, warehouse_id: str = "") -> Json:
    return {"warehouse_id": warehouse_id, "code": code, "message": text_of(code)}


def _warehouse_fault(world: World, sku: Sku, warehouse_id: str, shop_id: str) -> int:
    warehouse: Warehouse | None = world.shops.warehouses.get(warehouse_id)
    if warehouse is None:
        return 12052097
    if warehouse.shop != shop_id:
        return 12052530
    if warehouse.is_fbt:
        return 12052144
    if warehouse.effect_status == "DISABLED":
        return 12052531
    if warehouse.type != SALES:
        return 12052532
    return 0 if warehouse_id in sku.stock else 12052533


def _quantity_fault(world: World, sku: Sku, stock: Stock, entry: Json) -> int:
    quantity = int(entry["quantity"])
    least = 1 if world.options["stock_zero"] == "refused" else 0
    if not least <= quantity <= MOST:
        return 12052055
    return 12052393 if sku.in_promotion and quantity < stock.shown else 0


def _set(stock: Stock, entry: Json) -> None:
    stock.available = int(entry["quantity"])
    stock.backorder = entry.get("backorder_quantity", stock.backorder)
    stock.handling_time = entry.get("handling_time", stock.handling_time)


def search_stock(world: World, call: Call) -> Json:
    """What can still be sold and what orders hold, by product or by SKU; SKU ids win if both are given."""
    params = Params(world, call)
    params.asked()
    body = params.shaped({"product_ids": [str], "sku_ids": [str]})
    products, skus = body.get("product_ids") or [], body.get("sku_ids") or []
    if len(products) > 100:
        raise params.wrong("at most 100 product_ids", 12019120)
    if len(skus) > 600:
        raise params.wrong("at most 600 sku_ids", 12019015)
    if not products and not skus:
        raise params.wrong("product_ids or sku_ids is required")
    found: dict[str, list[Sku]] = {}
    if skus:
        for one in dict.fromkeys(skus):
            owner, sku = world.products.by_sku_id.get(one, (None, None))
            if owner is not None and sku is not None and owner.shop == call.of_shop.id:
                found.setdefault(owner.id, []).append(sku)
    else:
        known = [world.products.products.get(one) for one in dict.fromkeys(products)]
        found = {one.id: one.skus for one in known if one is not None and one.shop == call.of_shop.id}
    return {
        "inventory": [{"product_id": key, "skus": [_stock_of(sku) for sku in listed]} for key, listed in found.items()]
    }


def _stock_of(sku: Sku) -> Json:
    available = sum(one.shown for one in sku.stock.values())
    return {
        "id": sku.goods.sku_id,
        "seller_sku": sku.goods.seller_sku,
        "total_available_quantity": available,
        "total_committed_quantity": sum(one.committed for one in sku.stock.values()),
        "warehouse_inventory": [
            {"warehouse_id": key, "available_quantity": one.shown, "committed_quantity": one.committed}
            for key, one in sku.stock.items()
        ],
        "total_available_inventory_distribution": {"in_shop_inventory": {"quantity": available}},
    }
