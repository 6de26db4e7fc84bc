"""The table of calls: version, scope, whether a shop cipher belongs to it, and who answers."""

from __future__ import annotations

from tiktok_simulator import calls_orders as orders
from tiktok_simulator import calls_seller as seller
from tiktok_simulator.aftersale.endpoints import AFTERSALE_ENDPOINTS
from tiktok_simulator.catalogue.endpoints import CATALOGUE_ENDPOINTS
from tiktok_simulator.fulfilment.endpoints import FULFILMENT_ENDPOINTS
from tiktok_simulator.gateway import Call, Endpoint
from tiktok_simulator.webhooks.calls import WEBHOOK_ENDPOINTS
from tiktok_simulator.wire import Json
from tiktok_simulator.world import World


def end_authorisation(world: World, call: Call) -> Json:
    """The app gives the authorisation back."""
    world.deauthorise()
    world.wrote = True
    return {}


AUTHORISATION, SHOP, ORDER = "seller.authorization.info", "seller.shop.info", "seller.order.info"
LOGISTICS, REFERENCE, FBT = "seller.logistics", "seller.order.ext_ref.write", "seller.fbt.info"
WAREHOUSE = "/logistics/202309/warehouses/{warehouse_id}/delivery_options"
PROVIDERS = "/logistics/202309/delivery_options/{delivery_option_id}/shipping_providers"

ENDPOINTS = [  # scopes: T-17; ciphers: T-20, T-21
    Endpoint("GET", "/authorization/202309/shops", AUTHORISATION, seller.authorized_shops, "forbidden"),
    Endpoint("DELETE", "/authorization/202403/shops", AUTHORISATION, end_authorisation, "forbidden"),
    Endpoint("GET", "/seller/202309/shops", SHOP, seller.active_shops, "forbidden"),
    Endpoint("GET", "/seller/202309/permissions", SHOP, seller.permissions, "forbidden"),
    Endpoint("POST", "/order/202309/orders/search", ORDER, orders.search_orders),
    Endpoint("GET", "/order/202507/orders", ORDER, orders.get_orders),
    Endpoint("GET", "/order/202309/orders", ORDER, orders.get_orders),
    Endpoint("GET", "/order/202407/orders/{order_id}/price_detail", ORDER, orders.price_detail),
    Endpoint("POST", "/order/202406/orders/external_orders", REFERENCE, orders.add_external_orders),
    Endpoint("GET", "/logistics/202309/warehouses", LOGISTICS, seller.warehouses),
    Endpoint("GET", WAREHOUSE, LOGISTICS, seller.delivery_options),
    Endpoint("GET", PROVIDERS, LOGISTICS, seller.shipping_providers),
    Endpoint("GET", "/fbt/202408/warehouses", FBT, seller.fbt_warehouses, "optional"),
    *FULFILMENT_ENDPOINTS,
    *CATALOGUE_ENDPOINTS,
    *AFTERSALE_ENDPOINTS,
    *WEBHOOK_ENDPOINTS,
]
