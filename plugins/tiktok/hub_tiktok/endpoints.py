"""Every call we make of the TikTok Shop API: its version, its scope, and whether it changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

AUTHORIZATION = "seller.authorization.info"  # T-17, T-94: the scope keys
ORDERS = "seller.order.info"
LOGISTICS = "seller.logistics"
SHIPPING = "seller.fulfillment.basic"
SPLITTING = "seller.fulfillment.package.write"
PRODUCTS = "seller.product.basic"
PRODUCT_WRITES = "seller.product.write"
AFTER_SALES = "seller.return_refund.basic"
FBT = "seller.fbt.info"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API in the version we use; versions of endpoints may be mixed (T-35).

    ``path`` may hold names in braces; ``writes``: it changes something there, so it is not simply sent again.
    """

    method: str
    path: str
    scope: str = ""
    writes: bool = False

    def filled(self, ids: Mapping[str, str]) -> str:
        """Return the path for some ids."""
        return self.path.format(**{name: quote(value, safe="") for name, value in ids.items()})


SHOPS = Endpoint("GET", "/authorization/202309/shops", AUTHORIZATION)  # T-19
TOKEN_GET = Endpoint("GET", "/api/v2/token/get", writes=True)  # T-09, on the other host; works once
TOKEN_REFRESH = Endpoint("GET", "/api/v2/token/refresh", writes=True)  # T-12, on the other host
SUBSCRIPTIONS = Endpoint("GET", "/event/202309/webhooks", AUTHORIZATION)  # T-124
SUBSCRIBE = Endpoint("PUT", "/event/202309/webhooks", AUTHORIZATION, writes=True)
UNSUBSCRIBE = Endpoint("DELETE", "/event/202309/webhooks", AUTHORIZATION, writes=True)

ORDER_SEARCH = Endpoint("POST", "/order/202309/orders/search", ORDERS)  # T-45
ORDER_DETAIL = {  # T-52, by the setting order_detail_version
    "202507": Endpoint("GET", "/order/202507/orders", ORDERS),
    "202309": Endpoint("GET", "/order/202309/orders", ORDERS),
}
WAREHOUSES = Endpoint("GET", "/logistics/202309/warehouses", LOGISTICS)  # T-78
DELIVERY_OPTIONS = Endpoint("GET", "/logistics/202309/warehouses/{warehouse_id}/delivery_options", LOGISTICS)  # T-109
CARRIERS = Endpoint("GET", "/logistics/202309/delivery_options/{option_id}/shipping_providers", LOGISTICS)  # T-109
FBT_WAREHOUSES = Endpoint("GET", "/fbt/202408/warehouses", FBT)  # T-77

MARK_SHIPPED = Endpoint("POST", "/fulfillment/202309/orders/{order_id}/packages", SHIPPING, writes=True)  # T-104
SHIP = Endpoint("POST", "/fulfillment/202309/packages/{package_id}/ship", SHIPPING, writes=True)  # T-105
SHIP_MANY = Endpoint("POST", "/fulfillment/202309/packages/ship", SHIPPING, writes=True)  # T-105
SPLIT = Endpoint("POST", "/fulfillment/202309/orders/{order_id}/split", SPLITTING, writes=True)  # T-106
CREATE_PACKAGE = Endpoint("POST", "/fulfillment/202309/packages", SHIPPING, writes=True)  # T-107: costs money
SLOTS = Endpoint("GET", "/fulfillment/202309/packages/{package_id}/handover_time_slots", SHIPPING)  # T-105
RENUMBER_ORDER = Endpoint(  # T-108
    "POST", "/fulfillment/202309/orders/{order_id}/shipping_info/update", LOGISTICS, writes=True
)
RENUMBER_PACKAGE = Endpoint(  # T-108
    "POST", "/fulfillment/202309/packages/{package_id}/shipping_info/update", SHIPPING, writes=True
)
LABEL = Endpoint("GET", "/fulfillment/202309/packages/{package_id}/shipping_documents", SHIPPING)  # T-110

PRODUCT_SEARCH = Endpoint("POST", "/product/202502/products/search", PRODUCTS)  # T-95
STOCK_SEARCH = Endpoint("POST", "/product/202309/inventory/search", PRODUCTS)  # T-98
STOCK_UPDATE = Endpoint(  # T-99: absolute, so a repeat does no harm; the hub still counts it as a write
    "POST", "/product/202309/products/{product_id}/inventory/update", PRODUCT_WRITES, writes=True
)
PRICE_UPDATE = Endpoint(  # T-119
    "POST", "/product/202309/products/{product_id}/prices/update", PRODUCT_WRITES, writes=True
)
PREREQUISITES = Endpoint("GET", "/product/202312/prerequisites", PRODUCTS)  # T-117
CREATE_PRODUCT = Endpoint("POST", "/product/202309/products", PRODUCT_WRITES, writes=True)  # T-118
EDIT_PRODUCT = Endpoint(  # T-119
    "POST", "/product/202509/products/{product_id}/partial_edit", PRODUCT_WRITES, writes=True
)
IMAGE_UPLOAD = Endpoint("POST", "/product/202309/images/upload", PRODUCTS, writes=True)  # T-120: no cipher
CATEGORY_GUESS = Endpoint("POST", "/product/202309/categories/recommend", PRODUCTS)  # T-121
CATEGORY_ATTRIBUTES = Endpoint("GET", "/product/202309/categories/{category_id}/attributes", PRODUCTS)  # T-121
BRANDS = Endpoint("GET", "/product/202309/brands", PRODUCTS)  # T-121

CANCELLATION_SEARCH = Endpoint("POST", "/return_refund/202309/cancellations/search", AFTER_SALES)  # T-112
CANCEL = Endpoint("POST", "/return_refund/202309/cancellations", AFTER_SALES, writes=True)  # T-114
APPROVE = Endpoint(  # T-113
    "POST", "/return_refund/202309/cancellations/{cancel_id}/approve", AFTER_SALES, writes=True
)
REJECT = Endpoint(  # T-113
    "POST", "/return_refund/202309/cancellations/{cancel_id}/reject", AFTER_SALES, writes=True
)
REJECT_REASONS = Endpoint("GET", "/return_refund/202309/reject_reasons", AFTER_SALES)  # T-113
RETURN_SEARCH = Endpoint("POST", "/return_refund/202309/returns/search", AFTER_SALES)  # T-115
