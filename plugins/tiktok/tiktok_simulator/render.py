"""An order as a caller sees it, rendered once per state and switch position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tiktok_simulator.address import mask_phase, visible_address
from tiktok_simulator.markets import MARKETS, SOUTH_EAST_ASIA, Market
from tiktok_simulator.money import FEES, OrderMoney, UnitMoney, money_of, text
from tiktok_simulator.options import Options
from tiktok_simulator.order import CANCELLED, GONE, ON_HOLD, OPEN, PACKAGE_STATUS, UNIT_STATUS, Order, Unit
from tiktok_simulator.shops import Shops
from tiktok_simulator.wire import Json, dumps

HOUR, DAY = 3600, 86400
JUNK: Json = {"zz_new_in_no_version": {"nested": [1, "two", None]}, "zz_flag": True}
LATER_TIMES = ("rts_time", "collection_time", "delivery_time", "cancel_time", "request_cancel_time")


class Renderer:
    """Renders orders; the bytes are kept with the order until it or a switch changes."""

    def __init__(self, options: Options, shops: Shops) -> None:
        self._options = options
        self._shops = shops

    def order(self, order: Order, now: float, *, detail: bool) -> bytes:
        """The JSON bytes of an order in the search (or the detail) answer."""
        key = ("detail" if detail else "search", self._options.epoch, mask_phase(order, now))
        kept = order.rendered.get(key)
        if kept is None:
            kept = dumps(self.as_dict(order, now, detail=detail))
            order.rendered = {known: value for known, value in order.rendered.items() if known[1] == key[1]}
            order.rendered[key] = kept
        return kept

    def as_dict(self, order: Order, now: float, *, detail: bool) -> Json:
        """The order as the answer holds it."""
        money, market = money_of(order, self._options), MARKETS[order.market]
        shown = self._head(order)
        shown |= _times(order)
        shown["payment"] = self._payment(order, money, market)
        address = visible_address(order, self._options, mask_phase(order, now))
        if address is not None:
            shown["recipient_address"] = address
        shown["line_items"] = [
            self._line(order, unit, m, market) for unit, m in zip(order.units, money.units, strict=True)
        ]
        packages = dict.fromkeys(unit.package_id for unit in order.units if unit.package_id)
        shown["packages"] = [{"id": package_id} for package_id in packages]
        if len(packages) > 1:
            shown["split_or_combine_tag"] = "SPLIT"
        shown |= _only_in(order, detail)  # T-54
        return self._disturbed(order, shown)

    def _head(self, order: Order) -> Json:
        shipped = next((unit for unit in order.units if unit.tracking_number), None)
        shown: Json = {
            "id": order.id,
            "user_id": f"7021{order.buyer:015d}",
            "status": order.status,
            "order_type": "PRE_ORDER" if order.kind == "preorder" else "NORMAL",
            "commerce_platform": "TIKTOK_SHOP",
            "fulfillment_type": order.fulfillment_type,
            "shipping_type": order.shipping_type,
            "delivery_type": "HOME_DELIVERY",
            "delivery_option_id": order.delivery_option_id,
            "delivery_option_name": "Standard Shipping",
            "warehouse_id": order.warehouse_id,
            "buyer_email": f"sim{order.buyer}@chat.seller.example",
            "buyer_message": order.message,
            "payment_method_name": "CCDC",
            "is_on_hold_order": order.is_on_hold_order,
            "is_sample_order": order.kind == "sample",
            "is_replacement_order": order.kind == "replacement",
            "is_buyer_request_cancel": order.cancel_requested,
            "is_cod": False,
            "has_updated_recipient_address": order.address_updated,
        }
        optional = {
            "seller_note": order.seller_note,
            "replaced_order_id": order.replaced_order_id,
            "cancel_reason": order.cancel_reason,
            "cancellation_initiator": order.cancel_initiator,
            "tracking_number": shipped.tracking_number if shipped else "",
            "shipping_provider": self._provider(order, shipped) if shipped else "",
            "shipping_provider_id": shipped.provider_id if shipped else "",
        }
        return shown | {name: value for name, value in optional.items() if value}

    def _provider(self, order: Order, unit: Unit) -> str:
        listed = self._shops.providers_of(order.delivery_option_id)
        return next((str(p["name"]) for p in listed if p["id"] == unit.provider_id), "")

    def _payment(self, order: Order, money: OrderMoney, market: Market) -> Json:
        def show(amount: Decimal) -> str:
            return text(amount, market)

        free = order.is_free
        payment: Json = {
            "currency": market.currency,
            "original_total_product_price": show(money.original_total),
            "seller_discount": show(money.seller_discount),
            "platform_discount": show(money.platform_discount),
            "sub_total": show(money.sub_total),
            "original_shipping_fee": "0" if free else show(order.shipping),
            "shipping_fee_seller_discount": "0" if free else show(order.shipping_seller_discount),
            "shipping_fee_platform_discount": "0" if free else show(order.shipping_platform_discount),
            "shipping_fee_cofunded_discount": "0" if free else show(order.shipping_cofunded_discount),
            "shipping_fee": show(money.shipping_fee),
            "tax": show(money.tax),
            "total_amount": show(money.total),
        }
        if not market.tax_included:
            payment |= {"product_tax": show(money.product_tax), "shipping_fee_tax": show(money.shipping_tax)}
        named = (*FEES, "payment_platform_discount")
        return payment | {n: show(order.fees[n]) for n in named if order.fees.get(n) and not free}

    def _line(self, order: Order, unit: Unit, money: UnitMoney, market: Market) -> Json:
        line: Json = {
            "id": unit.id,
            "product_id": unit.goods.product_id,
            "product_name": unit.goods.product_name,
            "sku_id": unit.goods.sku_id,
            "sku_name": unit.goods.sku_name,
            "seller_sku": unit.goods.seller_sku,
            "original_price": text(money.original, market),
            "seller_discount": text(money.seller_discount, market),
            "platform_discount": text(money.platform_discount, market),
            "sale_price": text(money.sale, market),
            "currency": market.currency,
            "display_status": self._line_status(order, unit),
            "is_gift": unit.is_gift,
            "is_dangerous_good": False,
        }
        if unit.package_id or order.status not in ("UNPAID", ON_HOLD):
            line["package_status"] = PACKAGE_STATUS[unit.stage]
        if not market.tax_included and not order.is_free:
            amount = text(money.tax, market)
            line["item_tax"] = [{"tax_type": "SALES_TAX", "tax_amount": amount, "tax_rate": str(order.tax_rate)}]
        optional = {
            "gift_retail_price": text(money.retail, market) if money.retail is not None else "",
            "pfand_fee": text(unit.pfand, market) if unit.pfand and not order.is_free else "",
            "package_id": unit.package_id,
            "tracking_number": unit.tracking_number,
            "shipping_provider_id": unit.provider_id,
            "shipping_provider_name": self._provider(order, unit),
            "rts_time": unit.rts_time,
            "cancel_reason": unit.cancel_reason,
            "cancel_user": unit.cancel_user,
        }
        return line | {name: value for name, value in optional.items() if value} | self._parts(unit)

    def _line_status(self, order: Order, unit: Unit) -> str:
        if unit.stage != OPEN or order.phase == "":
            return UNIT_STATUS[unit.stage]
        return self._options["hold_line_status"] if order.phase == ON_HOLD else order.phase  # T-56

    def _parts(self, unit: Unit) -> Json:
        """The parts of a bundle under the name, or names, the switch chooses (T-72)."""
        if not unit.parts:
            return {}
        combined = [
            {"sku_id": p.goods.sku_id, "sku_count": p.count, "product_id": p.goods.product_id,
             "seller_sku": p.goods.seller_sku}
            for p in unit.parts
        ]  # fmt: skip
        switch = self._options["bundle_parts"]
        shown: Json = {} if switch == "sub_items" else {"combined_listing_skus": combined}
        if switch != "combined":
            shown["sub_item_info"] = [
                {**part, "id": f"{unit.id[:-2]}{n:02d}", "status": UNIT_STATUS[unit.stage]}
                for n, part in enumerate(combined)
            ]
        return shown

    def _disturbed(self, order: Order, shown: Json) -> Json:
        """The order after the switches that make it hard to read (T-43, T-44) and a test's own changes."""
        if self._options["unknown_status"] != "off":
            shown["status"] = self._options["unknown_status"]
        if self._options["optional_fields"] != "full":
            shown = _without_empties(shown, as_null=self._options["optional_fields"] == "null")
        if self._options["junk_fields"] == "yes":
            shown |= JUNK
            shown["payment"] = shown["payment"] | JUNK
            shown["line_items"] = [line | JUNK for line in shown["line_items"]]
        return _overlaid(shown, order.overrides)


def _times(order: Order) -> Json:
    times: Json = {"create_time": order.create_time, "update_time": order.update_time}
    paid = order.paid_time
    if paid is not None:
        times |= {
            "paid_time": paid,
            "rts_sla_time": paid + 2 * DAY + HOUR,
            "tts_sla_time": paid + 3 * DAY + HOUR,
            "cancel_order_sla_time": paid + 6 * DAY + HOUR,
        }
    times |= {name: order.times[name] for name in LATER_TIMES if name in order.times}
    if order.release_date is not None:
        times["release_date"] = order.release_date
    return times


def _only_in(order: Order, detail: bool) -> Json:
    if detail:
        return {"payment_method_code": "CARD", "payment_card_type": "CREDIT", "payment_auth_code": order.id[-6:]}
    if order.market in SOUTH_EAST_ASIA and order.status not in ("UNPAID", ON_HOLD, CANCELLED):
        return {"fulfillment_priority_level": 400, "recommended_shipping_time": order.create_time + DAY}
    return {}


def _without_empties(value: Any, *, as_null: bool) -> Any:
    """The same value with everything empty or false left out, or null in its place."""
    if isinstance(value, list):
        return [_without_empties(one, as_null=as_null) for one in value]
    if not isinstance(value, dict):
        return value
    slim: Json = {}
    for name, one in value.items():
        empty = one in ("", [], {}) or one is False or (one == "0" and name not in ("sub_total", "total_amount"))
        if not empty:
            slim[name] = _without_empties(one, as_null=as_null)
        elif as_null:
            slim[name] = None
    return slim


def _overlaid(shown: Json, overrides: Json) -> Json:
    """Replace fields by a test's own; a field set to null goes, objects are merged one level deep."""
    for name, value in overrides.items():
        if value is None:
            shown.pop(name, None)
        elif isinstance(value, dict) and isinstance(shown.get(name), dict):
            shown[name] = shown[name] | value
        else:
            shown[name] = value
    return shown


def unit_summary(order: Order) -> list[Json]:
    """The units of an order in short, for assertions."""
    return [
        {"id": u.id, "sku": u.goods.seller_sku, "price": str(u.price), "gift": u.is_gift, "package_id": u.package_id,
         "tracking_number": u.tracking_number,
         "status": UNIT_STATUS[u.stage] if u.stage == GONE or not order.phase else order.phase,
         "parts": [{"sku": p.goods.seller_sku, "count": p.count} for p in u.parts]}
        for u in order.units
    ]  # fmt: skip
