"""The table of fulfilment calls (6); scopes as in 2.6."""

from __future__ import annotations

from tiktok_simulator.fulfilment import calls_label as label
from tiktok_simulator.fulfilment import calls_packages as packages
from tiktok_simulator.fulfilment import calls_ship as ship
from tiktok_simulator.fulfilment import calls_split as split
from tiktok_simulator.fulfilment.slots import handover_time_slots
from tiktok_simulator.gateway import Endpoint

BASIC, WRITE, LOGISTICS = "seller.fulfillment.basic", "seller.fulfillment.package.write", "seller.logistics"
BASE = "/fulfillment/202309"
PACKAGE, ORDER = f"{BASE}/packages/{{package_id}}", f"{BASE}/orders/{{order_id}}"

FULFILMENT_ENDPOINTS = [
    # Fixed paths stand before those with an id in the same place.
    Endpoint("POST", f"{BASE}/packages/search", BASIC, packages.search_packages),
    Endpoint("POST", f"{BASE}/packages/ship", BASIC, ship.ship_packages),
    Endpoint("POST", f"{BASE}/packages", BASIC, label.create_package),
    Endpoint("GET", f"{BASE}/orders/split_attributes", BASIC, split.split_attributes),
    Endpoint("GET", "/fulfillment/202508/tts_tracking_validation", BASIC, packages.validate_tiktok_number),
    Endpoint("POST", f"{ORDER}/packages", BASIC, ship.mark_shipped),
    Endpoint("POST", f"{ORDER}/split", WRITE, split.split_order),
    Endpoint("POST", f"{ORDER}/shipping_services/query", BASIC, label.query_services),
    Endpoint("POST", f"{ORDER}/shipping_info/update", LOGISTICS, packages.change_order_number),
    Endpoint("GET", f"{ORDER}/tracking", LOGISTICS, packages.tracking_events),
    Endpoint("GET", PACKAGE, BASIC, packages.package_detail),
    Endpoint("POST", f"{PACKAGE}/ship", BASIC, ship.ship_package),
    Endpoint("GET", f"{PACKAGE}/shipping_documents", BASIC, label.shipping_document),
    Endpoint("POST", f"{PACKAGE}/shipping_info/update", BASIC, packages.change_package_number),
    Endpoint("GET", f"{PACKAGE}/handover_time_slots", WRITE, handover_time_slots),
]
