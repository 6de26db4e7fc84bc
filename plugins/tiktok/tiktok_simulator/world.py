"""Everything the simulator knows, in one place, behind one lock."""

from __future__ import annotations

import itertools
import threading
from dataclasses import replace
from typing import Any

from tiktok_simulator.actions import Actions
from tiktok_simulator.aftersale.returns import Return, Returns
from tiktok_simulator.catalogue.views import short
from tiktok_simulator.clock import Agenda, Clock
from tiktok_simulator.documents import Documents
from tiktok_simulator.faults import Faults
from tiktok_simulator.journal import Journal
from tiktok_simulator.lifecycle import Lifecycle
from tiktok_simulator.limits import Limits
from tiktok_simulator.money import money_of
from tiktok_simulator.options import Options
from tiktok_simulator.order import CANCELLED, ON_HOLD, STATUSES, UNPAID, Order
from tiktok_simulator.orders import Orders
from tiktok_simulator.products import Products
from tiktok_simulator.render import Renderer, unit_summary
from tiktok_simulator.shops import Shops
from tiktok_simulator.tokens import Tokens
from tiktok_simulator.webhooks.expiry import Expiry
from tiktok_simulator.webhooks.outlet import Outlet
from tiktok_simulator.webhooks.topics import DEAUTHORISED
from tiktok_simulator.wire import ControlError, Json

EARLY = (None, UNPAID, ON_HOLD, CANCELLED)


class World:
    """The state of the simulated TikTok Shop; hold `lock` while touching it."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.options = options
        self.clock = clock
        self.agenda = Agenda()
        self.journal = Journal()
        self.faults = Faults()
        self.limits = Limits(clock, options)
        self.tokens = Tokens(clock, options)
        self.shops = Shops()
        self.outlet = Outlet(clock, options)
        self.expiry = Expiry(self.tokens, self.shops, self.outlet, clock.now())
        self.products = Products(self.shops, self.outlet)
        self.orders = Orders(clock, self.agenda, options, self.shops, self.products, self.outlet)
        self.lifecycle = Lifecycle(self.orders)
        self.returns = Returns(self.orders, self.lifecycle, self._replace)
        self.actions = Actions(self.orders, self.lifecycle)
        self.documents = Documents()
        self.renderer = Renderer(options, self.shops)
        self.images: dict[str, str] = {}
        self.brands: dict[str, str] = {}
        self.product_keys: dict[tuple[str, str], str] = {}
        self.product_numbers = itertools.count(1)
        self.shift = 0  # rows by which the list call in hand is off, while a page_shift fault lasts
        self.wrote = False  # whether the call in hand changed anything
        self._requests = itertools.count(1)

    def settle(self) -> float:
        """Let everything due happen; answers the present simulated time."""
        now = self.clock.now()
        self.agenda.run(now)
        self.expiry.look(now)
        return now

    def deauthorise(self) -> None:
        """The authorisation ends, by the seller or given back by the app: tokens die, and each shop is told (T-131)."""
        self.tokens.revoke()
        for shop in self.shops.authorised:
            self.outlet.tell(shop.id, DEAUTHORISED, {"message": f"{shop.name} has ended the authorisation"})

    def request_id(self) -> str:
        """A request id as TikTok writes them: a time and a number."""
        return f"{int(self.clock.now())}{next(self._requests):024X}"

    def reset(self) -> None:
        """Forget orders, products and plans; shops, tokens and switches stay."""
        self.agenda.clear()
        self.products.clear()
        self.orders.clear()
        self.returns.clear()

    def seed(self, spec: Json) -> Json:
        """Set state up from a seed document; answers the ids of the orders it made."""
        unknown = sorted(set(spec) - {"reset", "shops", "warehouses", "products", "orders"})
        if unknown:
            raise ControlError(f"seed has unknown names {unknown}")
        if spec.get("reset"):
            self.reset()
        if spec.get("shops"):
            self.shops.replace(spec["shops"])
        if spec.get("warehouses"):
            self.shops.replace_warehouses(spec["warehouses"])
        now = int(self.settle())
        products = [self.products.add(product, now).id for product in spec.get("products") or []]
        orders = [order_id for one in spec.get("orders") or [] for order_id in self.add_orders(one, now)]
        self.settle()
        return {"shops": list(self.shops.shops), "products": products, "orders": orders}

    def add_orders(self, spec: Json, now: int) -> list[str]:
        """One order of a spec, or `count` of them, `step_s` apart and the last one at the spec's own time."""
        count, step_s = int(spec.get("count", 1)), int(spec.get("step_s", 1))
        base = self._created(spec, now)
        return [self._add_order(spec, base - (count - 1 - n) * step_s, now) for n in range(count)]

    def _created(self, spec: Json, now: int) -> int:
        if "create_time" in spec:
            return int(spec["create_time"])
        # An order that is past its hold was placed and paid well before.
        return now if spec.get("status") in EARLY else now - 2 * self.options.seconds("hold_s")

    def _add_order(self, spec: Json, create_time: int, now: int) -> str:
        order = self.orders.builder.build(spec, create_time, self.orders.by_id)
        status = spec.get("status")
        if status is not None and status not in STATUSES:
            order.overrides["status"] = status
            status = "AWAITING_SHIPMENT"
        if create_time > now:
            self.agenda.at(create_time, lambda _: self.lifecycle.place(order))
        else:
            self.lifecycle.place(order)
        paid: Any = spec.get("paid_time", create_time)
        if paid is not None and status in (None, ON_HOLD):
            self.agenda.at(max(int(paid), create_time), lambda at: self._pay_if_unpaid(order, at))
        elif status not in (None, UNPAID, ON_HOLD):
            self._force(order, str(status), spec, now)
        for wish in spec.get("plan") or []:
            after = {"at": create_time + int(wish.get("after_s", 0)), **wish}
            self.actions.carry_out(order, after, min(now, create_time))
        return order.id

    def _replace(self, record: Return, at: int) -> None:
        """A replacement that is agreed upon is a new order without money."""
        old = record.order
        spec: Json = {"kind": "replacement", "shop": old.shop, "market": old.market, "buyer": old.buyer}
        spec |= {
            "replaced_order_id": old.id,
            "on_hold": False,
            "lines": [{"sku": u.goods.seller_sku} for u in record.units],
        }
        self.add_orders(spec, at)

    def _pay_if_unpaid(self, order: Order, at: int) -> None:
        if order.status == UNPAID:
            self.lifecycle.pay(order, at)

    def _force(self, order: Order, status: str, spec: Json, now: int) -> None:
        paid = spec.get("paid_time", order.create_time)
        order.paid_time = None if paid is None else int(paid)
        hold = self.options.seconds("hold_s") if order.is_on_hold_order and status != CANCELLED else 0
        at = int(spec.get("update_time", min(now, (order.paid_time or order.create_time) + hold)))
        self.lifecycle.force(order, status, at)

    def state(self) -> Json:
        """The whole state, for assertions."""
        products = self.products
        return {
            "now": self.clock.now(),
            "shops": [shop.as_dict() | {"authorised": shop.authorised} for shop in self.shops.shops.values()],
            "warehouses": [w.as_dict() | {"shop": w.shop, "is_fbt": w.is_fbt} for w in self.shops.warehouses.values()],
            "products": [short(products, product) | {"shop": product.shop} for product in products.products.values()],
            "tokens": self.tokens.as_list(),
            "stock": products.stocks(),
            "labels_bought": self.orders.packages.labels,
            "orders": [self.order_summary(order) for order in self.orders.by_id.values()],
        }

    def order_summary(self, order: Order) -> Json:
        """An order in short, with the truth about its money and its unmasked address."""
        money = money_of(replace(order, rendered={}), self.options)
        return {
            "id": order.id,
            "shop": order.shop,
            "market": order.market,
            "kind": order.kind,
            "status": order.status,
            "is_on_hold_order": order.is_on_hold_order,
            "create_time": order.create_time,
            "paid_time": order.paid_time,
            "update_time": order.update_time,
            "cancel_requested": order.cancel_requested,
            "sub_total": str(money.sub_total),
            "total_amount": str(money.total),
            "address": order.address,
            "message": order.message,
            "external_orders": order.external_orders,
            "lines": unit_summary(order),
        }
