"""The seller's products, by id, by SKU and by time, and what orders do to their stock."""

from __future__ import annotations

from bisect import insort
from decimal import Decimal
from typing import Any

from tiktok_simulator.catalogue.notices import tell_made, tell_stock
from tiktok_simulator.catalogue.product import Product, Sku, Stock
from tiktok_simulator.feed import Key
from tiktok_simulator.order import Goods, Order, Part, Unit
from tiktok_simulator.shops import SALES, Shops, stable_id
from tiktok_simulator.webhooks.outlet import Outlet
from tiktok_simulator.wire import ControlError, Json


class Products:
    """All products, by id and, for each shop, by seller_sku."""

    def __init__(self, shops: Shops, outlet: Outlet) -> None:
        self.shops = shops
        self.outlet = outlet
        self.clear()

    def clear(self) -> None:
        """Remove all products."""
        self.products: dict[str, Product] = {}
        self.by_sku_id: dict[str, tuple[Product, Sku]] = {}
        self._by_seller_sku: dict[tuple[str, str], Sku] = {}
        self._by_create: dict[str, list[Key]] = {}

    def add(self, spec: Json, now: int) -> Product:
        """Add a product from a control call's spec.

        `{"id", "title", "status", "shop", "create_time", "update_time", "skus": [{"id", "seller_sku", "price", "stock",
        "bundle", "promotion"}]}`; `stock` is a number or numbers by warehouse id.
        """
        shop = self.shops.shop(spec.get("shop"))
        listed: list[Json] = spec.get("skus") or [{name: value for name, value in spec.items() if name != "id"}]
        sku_specs = [{"sku_id": one.get("id"), **one} for one in listed]
        named = str(sku_specs[0].get("seller_sku", sku_specs[0].get("sku", "")))
        title = str(spec.get("title") or spec.get("name") or named)
        product_id = str(spec.get("id") or stable_id("1729", shop.id, "product", title, named))
        product = Product(
            id=product_id,
            shop=shop.id,
            title=title,
            status=str(spec.get("status", "ACTIVATE")),
            create_time=int(spec.get("create_time", now)),
            update_time=int(spec.get("update_time", now)),
            skus=[self._sku(one, shop.id, product_id, title) for one in sku_specs],
        )
        self.put(product)
        return product

    def put(self, product: Product) -> None:
        """Take a product in; one of the same id goes."""
        former = self.products.get(product.id)
        if former is not None:
            self._by_create[former.shop].remove((former.create_time, former.id))
            self.unlink(former.skus)
        self.products[product.id] = product
        insort(self._by_create.setdefault(product.shop, []), (product.create_time, product.id))
        self.link(product)
        if former is None:
            tell_made(self.outlet, product)

    def link(self, product: Product) -> None:
        """Make a product's SKUs known; of two with one seller_sku the first stays."""
        for sku in product.skus:
            self._by_seller_sku.setdefault((product.shop, sku.goods.seller_sku), sku)
            self.by_sku_id[sku.goods.sku_id] = (product, sku)

    def unlink(self, skus: list[Sku]) -> None:
        """Forget SKUs that were removed or are about to be known anew."""
        for sku in skus:
            product, _ = self.by_sku_id.pop(sku.goods.sku_id)
            key = (product.shop, sku.goods.seller_sku)
            if self._by_seller_sku.get(key) is sku:
                del self._by_seller_sku[key]

    def find(self, shop_id: str, seller_sku: str) -> tuple[Product, Sku] | None:
        """The product and SKU a seller_sku stands for."""
        sku = self._by_seller_sku.get((shop_id, seller_sku))
        return None if sku is None else self.by_sku_id[sku.goods.sku_id]

    def goods(self, shop_id: str, seller_sku: str) -> Goods:
        """What a seller_sku stands for; one that is not listed (any more) gets ids made from its name (T-64)."""
        known = self._by_seller_sku.get((shop_id, seller_sku))
        if known is not None:
            return known.goods
        return Goods(
            sku_id=stable_id("1730", shop_id, "sku", seller_sku),
            seller_sku=seller_sku,
            product_id=stable_id("1729", shop_id, "unlisted", seller_sku),
            product_name=f"Product {seller_sku or 'without SKU'}",
            sku_name="Default",
        )

    def parts(self, shop_id: str, bundle: list[Json]) -> tuple[Part, ...]:
        """The parts of a bundle from `[{"sku", "count"}]`."""
        return tuple(Part(self.goods(shop_id, str(p["sku"])), int(p.get("count", 1))) for p in bundle)

    def bundle_of(self, shop_id: str, seller_sku: str) -> tuple[Part, ...]:
        """The parts of a listed bundle; nothing for other SKUs."""
        known = self._by_seller_sku.get((shop_id, seller_sku))
        return known.parts if known else ()

    def of_shop(self, shop_id: str) -> list[Product]:
        """The products of a shop, oldest first."""
        return [self.products[key[1]] for key in self._by_create.get(shop_id, [])]

    def hold(self, order: Order, units: list[Unit], sign: int = 1) -> None:
        """Move units from available to committed stock, or back with sign -1."""
        source = "order_created" if sign > 0 else "order_cancelled"
        for (product, sku), stock, count in self._stocks(order, units):
            stock.available -= sign * count
            stock.committed = max(0, stock.committed + sign * count)
            tell_stock(self.outlet, product, sku, -sign * count, sign * count, source)

    def ship(self, order: Order, units: list[Unit]) -> None:
        """Take shipped units out of committed stock."""
        for (product, sku), stock, count in self._stocks(order, units):
            stock.committed = max(0, stock.committed - count)
            tell_stock(self.outlet, product, sku, 0, -count, "order_shipped")

    def _stocks(self, order: Order, units: list[Unit]) -> list[tuple[tuple[Product, Sku], Stock, int]]:
        found = []
        for unit in units:
            wanted = [(part.goods, part.count) for part in unit.parts] or [(unit.goods, 1)]
            for goods, count in wanted:
                known = self.by_sku_id.get(goods.sku_id)
                if known is not None and order.warehouse_id in known[1].stock:
                    found.append((known, known[1].stock[order.warehouse_id], count))
        return found

    def _sku(self, spec: Json, shop_id: str, product_id: str, title: str) -> Sku:
        seller_sku = str(spec.get("seller_sku", spec.get("sku", "")))
        goods = Goods(
            sku_id=str(spec.get("sku_id") or stable_id("1730", product_id, seller_sku)),
            seller_sku=seller_sku,
            product_id=product_id,
            product_name=title,
            sku_name=str(spec.get("sku_name", "Default")),
        )
        parts = self.parts(shop_id, spec.get("bundle") or [])
        stock = self.stock_of(shop_id, spec.get("stock", 100), title)
        price = Decimal(str(spec.get("price", "10")))
        return Sku(goods, price, stock, parts, in_promotion=bool(spec.get("promotion", False)))

    def stock_of(self, shop_id: str, given: Any, what: str) -> dict[str, Stock]:
        """Stock from a number for the usual warehouse, or from numbers by warehouse id."""
        if not isinstance(given, dict):
            given = {self.shops.ships_from(shop_id, fbt=False): given}
        unknown = [key for key in given if key not in self.shops.warehouses]
        if unknown:
            raise ControlError(f"product {what!r} names unknown warehouses {unknown}")
        return {str(key): Stock(int(quantity)) for key, quantity in given.items()}

    def stocks(self) -> Json:
        """All stock by SKU id and warehouse, for assertions; below zero where more was sold than there was."""
        return {
            sku_id: {
                "seller_sku": sku.goods.seller_sku,
                "warehouses": {
                    key: {"available": s.available, "committed": s.committed} for key, s in sku.stock.items()
                },
            }
            for sku_id, (_, sku) in self.by_sku_id.items()
        }

    def sales_warehouses(self, shop_id: str) -> list[str]:
        """The warehouses whose stock the seller keeps."""
        return [w.id for w in self.shops.warehouses_of(shop_id) if w.type == SALES and not w.is_fbt]
