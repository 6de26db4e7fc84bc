"""The events that the gateway takes subscriptions for.  # K-98"""

from __future__ import annotations

_VERBS = {
    "sales_order": "created updated deleted packed delivered availability_updated approved",
    "purchase_order": "created updated deleted partially_received received approved",
    "purchase_order_row": "created updated deleted received",
    "outsourced_purchase_order": "created updated deleted received approved",
    "outsourced_purchase_order_row": "created updated deleted received",
    "outsourced_purchase_order_recipe_row": "created updated deleted",
    "manufacturing_order": "created updated deleted in_progress blocked done",
    "manufacturing_order_recipe_row": "created updated deleted ingredients_in_stock",
    "manufacturing_order_operation_row": "created updated deleted in_progress paused blocked completed",
    "current_inventory": "product_updated material_updated product_out_of_stock material_out_of_stock",
    "product": "created updated deleted",
    "material": "created updated deleted",
    "variant": "created updated deleted",
    "product_recipe_row": "created updated deleted",
}
EVENTS = tuple(f"{resource}.{verb}" for resource, verbs in _VERBS.items() for verb in verbs.split())
