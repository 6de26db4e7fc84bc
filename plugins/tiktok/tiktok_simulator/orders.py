"""All orders, their feeds, and the bookkeeping every change needs."""

from __future__ import annotations

from tiktok_simulator.aftersale.cancellations import Cancellations
from tiktok_simulator.clock import Agenda, Clock
from tiktok_simulator.feed import Feed
from tiktok_simulator.fulfilment.packages import Package, Packages
from tiktok_simulator.options import Options
from tiktok_simulator.order import CANCELLED, Order
from tiktok_simulator.products import Products
from tiktok_simulator.shops import Shops
from tiktok_simulator.specs import OrderBuilder
from tiktok_simulator.webhooks.outlet import Outlet
from tiktok_simulator.webhooks.topics import ORDER, PACKAGE
from tiktok_simulator.wire import ControlError


class Orders:
    """The orders by id and, for each shop, by time."""

    def __init__(
        self, clock: Clock, agenda: Agenda, options: Options, shops: Shops, products: Products, outlet: Outlet
    ) -> None:
        self.clock = clock
        self.agenda = agenda
        self.options = options
        self.shops = shops
        self.products = products
        self.outlet = outlet
        self.packages = Packages()
        self.cancellations = Cancellations(outlet)
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
        self._tell(order, order.create_time)

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
        former, order.status = order.status, order.derive_status()
        if status_change or self.options["edits_move_update_time"] == "yes":
            self.feed(order.shop).move(order, max(at, order.create_time))
        if order.status != former:
            self._tell(order, at)

    def tell_split(self, order: Order, packages: list[Package], at: int) -> None:
        """An order lies in several packages now."""
        listed = [{"package_id": package.id, "order_id_list": [order.id]} for package in packages]
        data = {"sc_type": "SPLIT", "role_type": "ROLE_SELLER", "package_list": listed, "update_time": at}
        self.outlet.tell(order.shop, PACKAGE, data, at)

    def _tell(self, order: Order, at: int) -> None:
        """An order has come to a status; webhooks write the cancelled one in their own way (T-89)."""
        if not self.outlet.address_of(order.shop, ORDER):
            return  # most have no webhooks, and ten thousand orders are seeded at once
        word = self.options["webhook_cancel_word"] if order.status == CANCELLED else order.status
        data = {"order_id": order.id, "order_status": word, "is_on_hold_order": order.is_on_hold_order}
        self.outlet.tell(order.shop, ORDER, data | {"update_time": order.update_time}, at)
