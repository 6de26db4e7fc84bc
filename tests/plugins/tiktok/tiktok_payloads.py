"""An order as the vendor's pages show one, and what the connector makes of it."""

from __future__ import annotations

from typing import Any

from hub_tiktok.translate import Context, order

from hub.contract import Order
from tests.plugins.tiktok.tiktok_bench import Json

CONTEXT = Context(shop="7495", shop_name="Bench", shop_region="US", hold_s=3600)
PAID = 1768460060


def payload(**parts: Any) -> Json:
    """An order of two units, as the vendor's pages show one."""
    line = {
        "product_id": "1729", "product_name": "Enamel mug", "sku_id": "1730", "sku_name": "Blue",
        "seller_sku": "MUG-BLUE", "original_price": "20.00", "seller_discount": "2.00", "platform_discount": "1.00",
        "sale_price": "17.00", "currency": "USD", "display_status": "AWAITING_SHIPMENT", "is_gift": False,
    }  # fmt: skip
    tax = {"tax_type": "SALES_TAX", "tax_rate": "0.0825"}
    return {
        "id": "576460000000000001", "user_id": "7021", "status": "AWAITING_SHIPMENT", "is_on_hold_order": True,
        "fulfillment_type": "FULFILLMENT_BY_SELLER", "shipping_type": "SELLER", "order_type": "NORMAL",
        "create_time": 1768460000, "paid_time": PAID, "update_time": 1768463660, "warehouse_id": "7001",
        "buyer_email": "v2b2V5@chat.seller.tiktok.com", "buyer_message": "Ring twice",
        "payment": {
            "currency": "USD", "original_total_product_price": "40.00", "seller_discount": "4.00",
            "platform_discount": "2.00", "sub_total": "34.00", "original_shipping_fee": "5.00",
            "shipping_fee_platform_discount": "5.00", "shipping_fee": "0", "tax": "2.81", "product_tax": "2.81",
            "shipping_fee_tax": "0", "total_amount": "36.81",
        },
        "recipient_address": {"name": "Dana Roe", "region_code": "US", "address_line1": "1199 Example Ave"},
        "line_items": [
            {**line, "id": "577001", "item_tax": [{**tax, "tax_amount": "1.41"}]},
            {**line, "id": "577002", "item_tax": [{**tax, "tax_amount": "1.40"}]},
        ],
        **parts,
    }  # fmt: skip


def read(**parts: Any) -> Order:
    return order(payload(**parts), CONTEXT)


def with_line(**parts: Any) -> Order:
    """An order whose first line differs; its money is left as it is."""
    lines = payload()["line_items"]
    return read(line_items=[{**lines[0], **parts}, lines[1]])
