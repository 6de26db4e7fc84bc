"""The seller's products and their stock on TikTok."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from tiktok_simulator.markets import MARKETS
from tiktok_simulator.order import Goods, Order, Part, Unit
from tiktok_simulator.shops import SALES, Shops, stable_id
from tiktok_simulator.wire import ControlError, Json


@dataclass(slots=True)
class Stock:
    """What can still be sold at one warehouse, and what orders hold."""

    available: int
    committed: int = 0


@dataclass(slots=True)
class Sku:
    """One sellable SKU of a product; parts make it a virtual bundle."""

    goods: Goods
    price: Decimal
    stock: dict[str, Stock] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()


@dataclass(slots=True)
class Product:
    """A product and its SKUs."""

    id: str
    shop: str
    title: str
    status: str
    create_time: int
    update_time: int
    skus: list[Sku]


class Products:
    """All products, by id and, for each shop, by seller_sku."""

    def __init__(self, shops: Shops) -> None:
        self._shops = shops
        self.products: dict[str, Product] = {}
        self._by_seller_sku: dict[tuple[str, str], Sku] = {}
        self._by_sku_id: dict[str, Sku] = {}

    def clear(self) -> None:
        """Remove all products."""
        self.products.clear()
        self._by_seller_sku.clear()
        self._by_sku_id.clear()

    def add(self, spec: Json, now: int) -> Product:
        """Add a product: `{"title", "status", "shop", "skus": [{"seller_sku", "price", "stock", "bundle"}]}`."""
        shop = self._shops.shop(spec.get("shop"))
        sku_specs: list[Json] = spec.get("skus") or [spec]
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
        self.products[product_id] = product
        for sku in product.skus:
            self._by_seller_sku.setdefault((shop.id, sku.goods.seller_sku), sku)
            self._by_sku_id[sku.goods.sku_id] = sku
        return product

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
        found = [product for product in self.products.values() if product.shop == shop_id]
        return sorted(found, key=lambda product: (product.create_time, product.id))

    def hold(self, order: Order, units: list[Unit], sign: int = 1) -> None:
        """Move units from available to committed stock, or back with sign -1."""
        for stock, count in self._stocks(order, units):
            stock.available = max(0, stock.available - sign * count)
            stock.committed = max(0, stock.committed + sign * count)

    def ship(self, order: Order, units: list[Unit]) -> None:
        """Take shipped units out of committed stock."""
        for stock, count in self._stocks(order, units):
            stock.committed = max(0, stock.committed - count)

    def _stocks(self, order: Order, units: list[Unit]) -> list[tuple[Stock, int]]:
        found = []
        for unit in units:
            wanted = [(part.goods, part.count) for part in unit.parts] or [(unit.goods, 1)]
            for goods, count in wanted:
                sku = self._by_sku_id.get(goods.sku_id)
                if sku is not None and order.warehouse_id in sku.stock:
                    found.append((sku.stock[order.warehouse_id], count))
        return found

    def _sku(self, spec: Json, shop_id: str, product_id: str, title: str) -> Sku:
        seller_sku = str(spec.get("seller_sku", spec.get("sku", "")))
        goods = Goods(
            sku_id=str(spec.get("id") or stable_id("1730", product_id, seller_sku)),
            seller_sku=seller_sku,
            product_id=product_id,
            product_name=title,
            sku_name=str(spec.get("sku_name", "Default")),
        )
        given = spec.get("stock", 100)
        if not isinstance(given, dict):
            given = {self._shops.ships_from(shop_id, fbt=False): given}
        unknown = [key for key in given if key not in self._shops.warehouses]
        if unknown:
            raise ControlError(f"product {title!r} names unknown warehouses {unknown}")
        stock = {str(key): Stock(int(quantity)) for key, quantity in given.items()}
        parts = self.parts(shop_id, spec.get("bundle") or [])
        return Sku(goods, Decimal(str(spec.get("price", "10"))), stock, parts)

    def as_dict(self, product: Product, fbt_ids: frozenset[str] = frozenset()) -> Json:
        """A product as the search shows it."""
        market = MARKETS[self._shops.shop(product.shop).region]
        return {
            "id": product.id,
            "title": product.title,
            "status": product.status,
            "create_time": product.create_time,
            "update_time": product.update_time,
            "sales_regions": [market.region],
            "audit": {"status": "APPROVED"},
            "is_not_for_sale": False,
            "skus": [
                {
                    "id": sku.goods.sku_id,
                    "seller_sku": sku.goods.seller_sku,
                    "price": {"currency": market.currency, "tax_exclusive_price": str(sku.price)}
                    | ({"sale_price": str(sku.price)} if market.tax_included else {}),
                    "inventory": [{"warehouse_id": key, "quantity": s.available} for key, s in sku.stock.items()],
                    "status_info": {"status": "NORMAL"},
                }
                for sku in product.skus
            ],
        }

    def sales_warehouses(self, shop_id: str) -> list[str]:
        """The warehouses whose stock the seller keeps."""
        return [w.id for w in self._shops.warehouses_of(shop_id) if w.type == SALES and not w.is_fbt]
