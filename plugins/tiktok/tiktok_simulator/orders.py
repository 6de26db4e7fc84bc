"""All orders, their feeds, and the bookkeeping every change needs."""

from __future__ import annotations

from tiktok_simulator.aftersale.cancellations import Cancellations
from tiktok_simulator.clock import Agenda, Clock
from tiktok_simulator.feed import Feed
from tiktok_simulator.fulfilment.packages import Packages
from tiktok_simulator.options import Options
from tiktok_simulator.order import Order
from tiktok_simulator.products import Products
from tiktok_simulator.shops import Shops
from tiktok_simulator.specs import OrderBuilder
from tiktok_simulator.wire import ControlError


class Orders:
    """The orders by id and, for each shop, by time."""

    def __init__(self, clock: Clock, agenda: Agenda, options: Options, shops: Shops, products: Products) -> None:
        self.clock = clock
        self.agenda = agenda
        self.options = options
        self.shops = shops
        self.products = products
        self.packages = Packages()
        self.cancellations = Cancellations()
        self.clear()

    def clear(self) -> None:
        """Forget all orders and start ids anew."""
        self.by_id: dict[str, Order] = {}
        self.feeds: dict[str, Feed] = {}
        self.packages.clear()
        self.cancellations.clear()
        self.builder = OrderBuilder(self.shops, self.products)

    def add(self, order: Order) -> None:
        """Take in a new order; it holds its stock from now on."""
        if order.id in self.by_id:
            raise ControlError(f"order {order.id} exists already")
        self.by_id[order.id] = order
        self.feed(order.shop).add(order)
        self.products.hold(order, order.units)

    def feed(self, shop_id: str) -> Feed:
        """The feed of a shop."""
        return self.feeds.setdefault(shop_id, Feed())

    def get(self, order_id: str) -> Order:
        """An order by id."""
        if order_id not in self.by_id:
            raise ControlError(f"no order {order_id}", 404)
        return self.by_id[order_id]

    def changed(self, order: Order, at: int, *, status_change: bool) -> None:
        """Note a change: the status is derived anew, and update_time moves if the change counts (T-62)."""
        order.rendered.clear()
        self.packages.follow(order, at)
        order.status = order.derive_status()
        if status_change or self.options["edits_move_update_time"] == "yes":
            self.feed(order.shop).move(order, max(at, order.create_time))
