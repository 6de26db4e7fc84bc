"""Making and changing products: SKUs from bodies, the audit by clock, status changes (8.3, 8.8)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tiktok_simulator.catalogue.body import check_seller_sku, price_of, stock_of
from tiktok_simulator.catalogue.codes import refusal
from tiktok_simulator.catalogue.notices import BY_API, LIVE, tell_audit, tell_edited, tell_status
from tiktok_simulator.catalogue.notices import FAILED as AUDIT_FAILED
from tiktok_simulator.catalogue.product import ACTIVE, DRAFT, FAILED, IN_REVIEW, Product, Sku
from tiktok_simulator.order import Goods, Part
from tiktok_simulator.shops import Shop
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World

KEPT_APART = ("sales_attributes", "external_sku_id", "identifier_code", "list_price")
NOT_KEPT = ("skus", "save_mode", "idempotency_key", "category_version", "title")


def create(world: World, shop: Shop, body: Json) -> Product:
    """A new product, as a draft or on its way through the audit."""
    now, number = int(world.clock.now()), next(world.product_numbers)
    product = Product(f"1729{number:015d}", shop.id, body["title"], DRAFT, now, now, [], audit="NONE")
    product.skus = build_skus(world, shop, product, body)
    product.document = {name: value for name, value in body.items() if name not in NOT_KEPT}
    world.products.put(product)
    if body.get("save_mode") != "AS_DRAFT":
        submit(world, product, now)
    return product


def build_skus(world: World, shop: Shop, product: Product, body: Json) -> list[Sku]:
    """The SKUs of a body; those with a known id keep what is not sent, those left out are gone."""
    known = {sku.goods.sku_id: sku for sku in product.skus}
    skus = []
    for sent in body["skus"]:
        former = known.get(sent["id"]) if sent.get("id") else None
        if sent.get("id") and former is None:
            raise refusal(12052556)
        skus.append(_sku(world, shop, product, body.get("title", product.title), sent, former))
    return skus


def _sku(world: World, shop: Shop, product: Product, title: str, sent: Json, former: Sku | None) -> Sku:
    if former is None and ("price" not in sent or "inventory" not in sent):
        raise refusal(12052012, "price and inventory are required")
    seller_sku = str(sent.get("seller_sku", former.goods.seller_sku if former else ""))
    check_seller_sku(seller_sku)
    attributes: list[Json] = sent.get("sales_attributes", [])
    name = ", ".join(str(one.get("value_name", one.get("value_id", ""))) for one in attributes)
    goods = Goods(
        sku_id=former.goods.sku_id if former else f"1730{next(world.product_numbers):015d}",
        seller_sku=seller_sku,
        product_id=product.id,
        product_name=title,
        sku_name=name or (former.goods.sku_name if former else "Default"),
    )
    price = price_of(shop, sent["price"]) if "price" in sent else former.price if former else Decimal(0)
    stock = former.stock if former else {}
    if "inventory" in sent:
        stock = stock_of(world, shop, sent["inventory"], former)
    more = (former.more if former else {}) | {name: sent[name] for name in KEPT_APART if name in sent}
    parts = tuple(_part(world, one) for one in sent.get("combined_skus", []))
    made = Sku(goods, price, stock, parts or (former.parts if former else ()), more=more)
    return replace(made, in_promotion=former.in_promotion, is_off=former.is_off) if former else made


def _part(world: World, sent: Json) -> Part:
    known = world.products.by_sku_id.get(sent["sku_id"])
    if known is None:
        raise refusal(12052556)
    return Part(known[1].goods, int(sent["sku_count"]))


def submit(world: World, product: Product, at: int) -> None:
    """Hand a product in; what the audit says, and when, are switches."""
    product.audit = "AUDITING"
    if product.review is None:
        product.status = IN_REVIEW
    product.update_time = at
    tell_audit(world.outlet, product)
    if product.status == IN_REVIEW:
        tell_status(world.outlet, product)
    due = at + world.options.seconds("audit_s")
    world.agenda.at(due, lambda then: _judge(world, product, then))


def _judge(world: World, product: Product, at: int) -> None:
    if product.audit != "AUDITING" or world.products.products.get(product.id) is not product:
        return
    passed = world.options["audit_outcome"] == "pass"
    product.audit = "APPROVED" if passed else "FAILED"
    product.update_time = at
    product.failed_reasons = [] if passed else [_complaint()]
    review, product.review = product.review, None
    tell_audit(world.outlet, product)
    if review is not None:
        if passed:
            apply(world, product, review)
        return
    if product.status == IN_REVIEW:
        product.status = ACTIVE if passed else FAILED
        tell_status(world.outlet, product, LIVE if passed else AUDIT_FAILED)


def _complaint() -> Json:
    return {
        "position": "Title",
        "reasons": ["The title does not describe the product"],
        "suggestions": ["Name the product and its main property"],
        "listing_platform": "TIKTOK_SHOP",
    }


def edit(world: World, shop: Shop, product: Product, body: Json) -> None:
    """Change a product: at once, or after the audit while the old version stays live."""
    now = int(world.clock.now())
    change: Json = {"document": {n: v for n, v in body.items() if n not in NOT_KEPT}, "title": body.get("title")}
    if "skus" in body:
        change["skus"] = build_skus(world, shop, product, body)
    if product.status == ACTIVE:
        product.review = change
        submit(world, product, now)
        return
    product.update_time = now
    apply(world, product, change)
    if product.status != DRAFT or body.get("save_mode") == "LISTING":
        submit(world, product, now)


def apply(world: World, product: Product, change: Json) -> None:
    """Put a change into effect; SKUs it leaves out are deleted, stock that moved meanwhile stays as it is."""
    product.title = change["title"] or product.title
    product.document = product.document | change["document"]
    fields = {*change["document"], *(name for name in ("title", "skus") if change.get(name))}
    tell_edited(world.outlet, product, fields, BY_API, product.update_time)
    if "skus" not in change:
        return
    world.products.unlink(product.skus)
    present = {sku.goods.sku_id: sku for sku in product.skus}
    for sku in change["skus"]:
        former = present.get(sku.goods.sku_id)
        for key, stock in sku.stock.items():
            if former is not None and key in former.stock:
                stock.committed = former.stock[key].committed
    product.skus = change["skus"]
    world.products.link(product)
