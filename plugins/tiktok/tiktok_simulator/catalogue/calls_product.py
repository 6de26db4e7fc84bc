"""Product calls: search, get, create, edit, price, status changes (8.1, 8.2, 8.6 to 8.8)."""

from __future__ import annotations

from collections.abc import Callable

from tiktok_simulator.catalogue.body import CREATE, EDIT, PRICE, REQUIRED, check, price_of, reason_of
from tiktok_simulator.catalogue.calls_stock import own_product
from tiktok_simulator.catalogue.codes import failed, refusal, text_of
from tiktok_simulator.catalogue.editor import create, edit, submit
from tiktok_simulator.catalogue.notices import BY_API, tell_edited, tell_status
from tiktok_simulator.catalogue.product import ACTIVE, DELETED, DRAFT, FROZEN, SELLER_OFF, Product
from tiktok_simulator.catalogue.readiness import failing
from tiktok_simulator.catalogue.views import whole
from tiktok_simulator.gateway import Call
from tiktok_simulator.params import Params
from tiktok_simulator.wire import ApiError, Json
from tiktok_simulator.world import World

DAY_S = 86400
AMOUNT: Json = {"amount*": str, "currency*": str}
PRICES: Json = {"skus*": [{"id*": str, "price*": PRICE, "list_price": AMOUNT, "external_list_prices": [dict]}]}


def get_product(world: World, call: Call) -> Json:
    """One product, the live version or the one under review."""
    params = Params(world, call)
    params.asked("return_under_review_version", "return_draft_version", "locale")
    product = own_product(world, call, call.values["product_id"])
    if product.status in (FROZEN, DELETED):
        raise refusal(12019008)
    wanted = params.choice("return_under_review_version", ("false", "true")) == "true"
    if not wanted:
        return whole(world.products, product)
    if product.review is None:
        raise refusal(12052547)
    review = product.review
    document = review["document"] | ({"title": review["title"]} if review["title"] else {})
    return whole(world.products, product, document)


def create_product(world: World, call: Call) -> Json:
    """A new product; the same idempotency_key again answers the same product."""
    params = Params(world, call)
    params.asked()
    body, shop = params.shaped(CREATE), call.of_shop
    key = str(body.get("idempotency_key", ""))
    if len(key) > 128:
        raise params.wrong("idempotency_key holds more than 128 characters")
    known = world.products.products.get(world.product_keys.get((shop.id, key), ""))
    if key and known is not None:
        return _made(known, [])
    warnings = check(world, shop, body)
    _check_readiness(world, shop.id, body)
    _check_daily_limit(world, shop.id)
    product = create(world, shop, body)
    world.wrote = True
    if key:
        world.product_keys[(shop.id, key)] = product.id
    return _made(product, warnings)


def _made(product: Product, warnings: list[str]) -> Json:
    skus = [
        {"id": sku.goods.sku_id, "seller_sku": sku.goods.seller_sku}
        | {name: sku.more[name] for name in ("external_sku_id", "sales_attributes") if name in sku.more}
        for sku in product.skus
    ]
    shown: Json = {"product_id": product.id, "skus": skus}
    return shown | ({"warnings": [{"message": text} for text in warnings]} if warnings else {})


def _check_readiness(world: World, shop_id: str, body: Json) -> None:
    """A draft may be kept by a shop that is not ready."""
    found = failing(world, shop_id)
    if found and body.get("save_mode") != "AS_DRAFT":
        raise refusal(12052990, f"prerequisites: {', '.join(found)}")


def _check_daily_limit(world: World, shop_id: str) -> None:
    limit = world.options.number("daily_listing_limit")
    today = int(world.clock.now()) // DAY_S
    made = sum(one.create_time // DAY_S == today for one in world.products.of_shop(shop_id))
    if limit is not None and made >= limit:
        raise refusal(12052093)


def listing_check(world: World, call: Call) -> Json:
    """What creating would say, without doing it; `warnings` is one object here (3.3)."""
    params = Params(world, call)
    params.asked()
    body, shop = params.shaped(CREATE), call.of_shop
    try:
        warnings = check(world, shop, body)
        for sku in body["skus"]:
            price_of(shop, sku.get("price", {}))
    except ApiError as error:
        return {"check_result": "FAILED", "fail_reasons": [reason_of(error)]}
    shown: Json = {"check_result": "PASS", "fail_reasons": []}
    return shown | ({"warnings": {"message": "; ".join(warnings)}} if warnings else {})


def replace_product(world: World, call: Call) -> Json:
    """Replace everything; what is not sent is emptied, price and stock excepted."""
    return _edit(world, call, {(f"{n}*" if n in REQUIRED else n): shape for n, shape in EDIT.items()}, whole_body=True)


def edit_product(world: World, call: Call) -> Json:
    """Replace the top-level properties that are sent; a `skus` list deletes the SKUs it leaves out."""
    return _edit(world, call, EDIT, whole_body=False)


def _edit(world: World, call: Call, shape: Json, *, whole_body: bool) -> Json:
    params = Params(world, call)
    params.asked()
    body = params.shaped(shape)
    product = own_product(world, call, call.values["product_id"])
    if product.status in (FROZEN, DELETED):
        raise refusal(12052901)
    warnings = check(world, call.of_shop, body)
    if whole_body:
        body = {name: _empty(value) for name, value in product.document.items()} | body
    edit(world, call.of_shop, product, body)
    world.wrote = True
    skus = product.review["skus"] if product.review and "skus" in product.review else product.skus
    return _made(Product(product.id, product.shop, product.title, DRAFT, 0, 0, skus), warnings)


def _empty(value: object) -> object:
    return type(value)()


def update_prices(world: World, call: Call) -> Json:
    """Set prices of an active product at once, without audit."""
    params = Params(world, call)
    params.asked()
    wishes: list[Json] = params.shaped(PRICES)["skus"]
    product = own_product(world, call, call.values["product_id"])
    if product.status != ACTIVE:
        raise refusal(12052901)
    if not wishes:
        raise refusal(12052902)
    known = {sku.goods.sku_id: sku for sku in product.skus}
    if len({wish["id"] for wish in wishes}) < len(wishes):
        raise refusal(12052553)
    amounts = []
    for wish in wishes:
        if wish["id"] not in known:
            raise refusal(12052557 if wish["id"] in world.products.by_sku_id else 12052556)
        if known[wish["id"]].in_promotion:
            raise refusal(12052038)
        amounts.append(price_of(call.of_shop, wish["price"]))
    for wish, amount in zip(wishes, amounts, strict=True):
        sku = known[wish["id"]]
        sku.price = amount
        sku.more = sku.more | ({"list_price": wish["list_price"]} if "list_price" in wish else {})
    tell_edited(world.outlet, product, ["skus"], BY_API, int(world.clock.now()))
    world.wrote = True
    return {}


def activate(world: World, call: Call) -> Json:
    """Put products on sale again, through the audit."""
    return _many(world, call, (SELLER_OFF,), lambda product, at: submit(world, product, at))


def deactivate(world: World, call: Call) -> Json:
    """Take products off sale."""
    return _many(world, call, (ACTIVE,), lambda product, at: _become(world, product, SELLER_OFF, at))


def delete(world: World, call: Call) -> Json:
    """Delete products; they can be recovered."""
    allowed = ("DRAFT", "PENDING", "FAILED", ACTIVE, SELLER_OFF, "PLATFORM_DEACTIVATED")
    return _many(world, call, allowed, lambda product, at: _become(world, product, DELETED, at))


def recover(world: World, call: Call) -> Json:
    """Bring deleted products back, off sale."""
    return _many(world, call, (DELETED,), lambda product, at: _become(world, product, SELLER_OFF, at))


def _become(world: World, product: Product, status: str, at: int) -> None:
    product.status, product.update_time, product.review = status, at, None
    if product.audit == "AUDITING":
        product.audit = "NONE"
    tell_status(world.outlet, product)


def _many(world: World, call: Call, allowed: tuple[str, ...], deed: Callable[[Product, int], None]) -> Json:
    """The same deed upon up to 20 products; each that fails is listed."""
    params = Params(world, call)
    params.asked()
    ids: list[str] = params.shaped({"product_ids*": [str]})["product_ids"]
    if not 1 <= len(ids) <= 20:
        raise refusal(12019120) if ids else params.wrong("product_ids is empty")
    errors = []
    for one in dict.fromkeys(ids):
        try:
            product = own_product(world, call, one)
            if product.status not in allowed:
                raise refusal(12052901)
        except ApiError as error:
            inner = [{"code": error.code, "message": text_of(error.code)}]
            errors.append(failed({"product_id": one, "extra_errors": inner}))
            continue
        deed(product, int(world.clock.now()))
        world.wrote = True
    return {"errors": errors} if errors else {}
