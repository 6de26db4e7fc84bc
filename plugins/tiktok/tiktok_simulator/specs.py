"""Compact order specs, as tests and the demo write them, made into orders.

An order spec in `POST /_sim/seed {"orders": [...]}`; every name may be left out:

- `id`, `shop`, `market` (default: the shop's region), `kind` (KINDS), `buyer` (a number), `note`, `seller_note`;
- `lines`: `{"sku", "quantity", "price", "seller_discount", "platform_discount", "gift", "bundle": [{"sku", "count"}],
  "pfand_fee"}`, money per unit;
- `shipping`, `shipping_seller_discount`, `shipping_platform_discount`, `shipping_cofunded_discount`, `tax_rate`,
  `shipping_tax_rate`, `fees` (money.FEES by name, and payment_platform_discount);
- `create_time` (default: now, or two holds ago for a `status` past the hold), `paid_time` (default: at creation; null:
  stays unpaid), `on_hold` (default true), `status` (any known one by the usual steps; an unknown one is only shown),
  `update_time` (of a seeded status), `release_date` or `release_s` (pre-orders);
- `shipping_type`, `warehouse_id`, `delivery_option_id`, `address` (merged over an invented one), `whole_name`,
  `replaced_order_id`;
- `plan`: deeds of actions.py with `after_s` from creation; `overrides`: fields of the answer, as in action `set`;
- `count` orders of this spec, `step_s` (default 1) apart, the last one at `create_time`.
"""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from tiktok_simulator.address import invent_address
from tiktok_simulator.markets import MARKETS
from tiktok_simulator.money import FEES
from tiktok_simulator.order import UNPAID, ZERO, Order, Unit
from tiktok_simulator.products import Products
from tiktok_simulator.shops import Shops, option_id
from tiktok_simulator.wire import ControlError, Json

KINDS = ("normal", "gift", "sample", "bundle", "replacement", "fbt", "preorder")
US_TAX = "0.0825"

SPEC_NAMES = frozenset({
    "id", "market", "kind", "lines", "shipping", "shipping_seller_discount", "shipping_platform_discount",
    "shipping_cofunded_discount", "tax_rate", "shipping_tax_rate", "fees", "status", "create_time", "paid_time",
    "update_time", "on_hold", "shipping_type", "warehouse_id", "shop", "note", "seller_note", "buyer", "address",
    "delivery_option_id", "whole_name", "release_date", "release_s", "replaced_order_id", "plan", "overrides", "count",
    "step_s",
})  # fmt: skip
LINE_NAMES = frozenset(
    {"sku", "quantity", "price", "seller_discount", "platform_discount", "gift", "bundle", "pfand_fee"}
)


class OrderBuilder:
    """Makes orders from specs, with ids that count up."""

    def __init__(self, shops: Shops, products: Products) -> None:
        self._shops = shops
        self._products = products
        self._orders = itertools.count(1)
        self._units = itertools.count(1)

    def order_id(self) -> str:
        """The next order id."""
        return f"576{next(self._orders):015d}"

    def build(self, spec: Json, create_time: int, taken: dict[str, Order]) -> Order:
        """An unpaid order from a spec; the caller plans its payment."""
        _refuse_unknown(spec, SPEC_NAMES, "order spec")
        shop = self._shops.shop(spec.get("shop"))
        kind, region = str(spec.get("kind", "normal")), str(spec.get("market", shop.region))
        if kind not in KINDS or region not in MARKETS:
            raise ControlError(f"no kind {kind!r} or market {region!r}; there are {KINDS} and {tuple(MARKETS)}")
        order_id = str(spec.get("id") or self.order_id())
        while order_id in taken and not spec.get("id"):
            order_id = self.order_id()
        fbt = kind == "fbt"
        buyer = int(spec.get("buyer") or int(order_id[-6:]))
        order = Order(
            id=order_id,
            shop=shop.id,
            market=region,
            kind=kind,
            buyer=buyer,
            units=self.units(spec.get("lines") or [{}], shop.id, kind),
            create_time=create_time,
            update_time=create_time,
            address=invent_address(region, buyer, bool(spec.get("whole_name"))) | (spec.get("address") or {}),
            is_on_hold_order=bool(spec.get("on_hold", True)),
            shipping_type=str(spec.get("shipping_type", "TIKTOK" if fbt else "SELLER")),
            fulfillment_type="FULFILLMENT_BY_TIKTOK" if fbt else "FULFILLMENT_BY_SELLER",
            warehouse_id=str(spec.get("warehouse_id") or self._shops.ships_from(shop.id, fbt)),
            delivery_option_id=str(spec.get("delivery_option_id") or option_id(region)),
            message=str(spec.get("note", "")),
            seller_note=str(spec.get("seller_note", "")),
            overrides=dict(spec.get("overrides") or {}),
            replaced_order_id=str(spec.get("replaced_order_id", "576000000000000000" if kind == "replacement" else "")),
        )
        _fill_money(order, spec)
        return order

    def units(self, lines: list[Json], shop_id: str, kind: str = "normal") -> list[Unit]:
        """One unit per piece (T-63)."""
        units = []
        for line in lines:
            _refuse_unknown(line, LINE_NAMES, "line")
            sku = str(line.get("sku", "SIM-SKU"))
            goods = self._products.goods(shop_id, sku)
            bundle: list[Json] | None = line.get("bundle")
            if bundle is None and kind == "bundle" and not self._products.bundle_of(shop_id, sku):
                bundle = [{"sku": f"{sku}-PART", "count": 2}]
            parts = self._products.parts(shop_id, bundle) if bundle else self._products.bundle_of(shop_id, sku)
            for _ in range(int(line.get("quantity", 1))):
                units.append(
                    Unit(
                        id=f"577{next(self._units):015d}",
                        goods=goods,
                        price=_amount(line.get("price", "20")),
                        seller_discount=_amount(line.get("seller_discount")),
                        platform_discount=_amount(line.get("platform_discount")),
                        is_gift=bool(line.get("gift", False)),
                        parts=parts,
                        pfand=_amount(line.get("pfand_fee")),
                    )
                )
        if kind == "gift" and units and not any(unit.is_gift for unit in units):
            units[-1].is_gift = True
        return units


def _fill_money(order: Order, spec: Json) -> None:
    market = MARKETS[order.market]
    order.shipping = _amount(spec.get("shipping"))
    order.shipping_seller_discount = _amount(spec.get("shipping_seller_discount"))
    order.shipping_platform_discount = _amount(spec.get("shipping_platform_discount"))
    order.shipping_cofunded_discount = _amount(spec.get("shipping_cofunded_discount"))
    order.tax_rate = ZERO if market.tax_included else _amount(spec.get("tax_rate", US_TAX))
    order.shipping_tax_rate = _amount(spec.get("shipping_tax_rate", order.tax_rate))
    fees: Json = spec.get("fees") or {}
    _refuse_unknown(fees, frozenset(FEES) | {"payment_platform_discount"}, "fees")
    order.fees = {name: _amount(value) for name, value in fees.items()}
    if order.shipping_cofunded_discount:
        order.shipping_seller_discount = ZERO  # T-66
    if order.kind == "preorder":
        release_s = int(spec.get("release_s", 3 * 86400))
        order.release_date = int(spec.get("release_date") or order.create_time + release_s)
    order.status = order.phase = UNPAID


def _amount(value: Any) -> Decimal:
    return ZERO if value is None else Decimal(str(value))


def _refuse_unknown(spec: Json, known: frozenset[str], what: str) -> None:
    unknown = sorted(set(spec) - known)
    if unknown:
        raise ControlError(f"{what} has unknown names {unknown}; there are {', '.join(sorted(known))}")
