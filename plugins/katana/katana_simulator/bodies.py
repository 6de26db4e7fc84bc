"""What request bodies may hold, as the gateway declares it: one table per call."""

from __future__ import annotations

from decimal import Decimal

from katana_simulator.events import EVENTS
from katana_simulator.schema import Field, Shape, anything, flag, identifier, instant, listing, number, part, text, word

ADDRESS_TEXTS = ("first_name", "last_name", "company", "phone", "line_1", "line_2", "city", "state", "zip", "country")
_TEXT_OR_NULL = text(nullable=True)
_SET_OR_NULL = text(1, nullable=True)
_TRACKING = {
    "tracking_number": text(0, 256, nullable=True),
    "tracking_url": text(0, 2048, nullable=True),
    "tracking_carrier": _TEXT_OR_NULL,
    "tracking_method": _TEXT_OR_NULL,
}
_ADDRESS: dict[str, Field] = {"entity_type": word("billing", "shipping")} | dict.fromkeys(ADDRESS_TEXTS, _TEXT_OR_NULL)
_ADDRESS_CHANGE = dict.fromkeys(ADDRESS_TEXTS, _SET_OR_NULL)

# Which batches or serial numbers a quantity is taken from: fact sheet 5.7 and 6
_TRACE = part(
    {
        **dict.fromkeys(("batch_id", "serial_number_id", "bin_location_id"), identifier(nullable=True)),
        "quantity": Field(("number", "string"), pattern=r"^\d+(\.\d+)?$"),
    },
    ("quantity",),
)
_BATCH: dict[str, Field] = {"batch_id": identifier(nullable=True), "quantity": number(0)}

# Sales orders: K-41, K-43, K-48
_NEW_ROW: dict[str, Field] = {
    "variant_id": identifier(),
    "quantity": number(0, 10**17),
    "price_per_unit": number(0, 10**18),
    "total_discount": number(0),
    "tax_rate_id": identifier(),
    "location_id": identifier(),
    "attributes": listing(part({"key": text(), "value": text()}, ("key", "value"))),
    "custom_fields": anything(nullable=True),
}
NEW_ORDER = Shape(
    {
        "customer_id": identifier(),
        "sales_order_rows": listing(part(_NEW_ROW, ("variant_id", "quantity")), 1),
        "order_no": text(1),
        "status": word("NOT_SHIPPED", "PENDING"),  # K-42
        "location_id": identifier(),
        "currency": text(3, 3),
        "order_created_date": instant(),
        "delivery_date": instant(),
        "additional_info": _TEXT_OR_NULL,
        "customer_ref": text(0, 255, nullable=True),
        "ecommerce_order_type": _SET_OR_NULL,
        "ecommerce_store_name": _SET_OR_NULL,
        "ecommerce_order_id": _SET_OR_NULL,
        "tracking_number": text(0, 256, nullable=True),
        "tracking_number_url": text(0, 2048, nullable=True),
        "addresses": listing(part(_ADDRESS, ("entity_type",))),  # K-47
        "custom_fields": anything(nullable=True),
    },
    ("customer_id", "sales_order_rows"),
)
ORDER_CHANGE = Shape(
    {
        "order_no": text(1),
        "customer_id": identifier(),
        "order_created_date": instant(),
        "delivery_date": instant(),
        "picked_date": instant(),
        "location_id": identifier(),
        "status": word("PENDING", "NOT_SHIPPED", "READY_FOR_FULFILLMENT", "PACKED", "DELIVERED"),
        "currency": text(3, 3),
        "conversion_rate": number(0, 10**12),
        "conversion_date": instant(),
        "additional_info": _TEXT_OR_NULL,
        "customer_ref": text(0, 255, nullable=True),
        "tracking_number": text(1, 256, nullable=True),
        "tracking_number_url": text(1, 2048, nullable=True),
        "custom_fields": anything(nullable=True),
    }
)
NEW_ORDER_ROW = Shape(_NEW_ROW | {"sales_order_id": identifier()}, ("sales_order_id", "variant_id", "quantity"))
ORDER_ROW_CHANGE = Shape(
    _NEW_ROW
    | {
        "traceability": listing(_TRACE),
        "batch_transactions": listing(part(_BATCH, ("batch_id",))),
        "serial_number_transactions": listing(
            part({"serial_number_id": identifier(), "quantity": number(0, 1)}, ("serial_number_id",))
        ),
    }
)
NEW_ORDER_ADDRESS = Shape(_ADDRESS | {"sales_order_id": identifier()}, ("sales_order_id", "entity_type"))
ORDER_ADDRESS_CHANGE = Shape(dict.fromkeys(ADDRESS_TEXTS, _TEXT_OR_NULL))
_AMOUNT = Field(("string",), pattern=r"^\d+(\.\d+)?$")  # K-21
NEW_SHIPPING_FEE = Shape(
    {
        "sales_order_id": identifier(),
        "amount": _AMOUNT,
        "description": _TEXT_OR_NULL,
        "tax_rate_id": identifier(nullable=True),
    },
    ("sales_order_id", "amount"),
)
SHIPPING_FEE_CHANGE = Shape(
    {"amount": _AMOUNT, "description": _TEXT_OR_NULL, "tax_rate_id": identifier(nullable=True)}, ("amount",)
)

# Fulfillments: K-68
_FULFILLMENT_ROW: dict[str, Field] = {
    "sales_order_row_id": identifier(),
    "quantity": number(above=0),
    "traceability": listing(_TRACE),
    "batch_transactions": listing(part(_BATCH, ("batch_id", "quantity"))),
    "serial_numbers": listing(identifier()),
}
NEW_FULFILLMENT = Shape(
    {
        "sales_order_id": identifier(),
        "status": word("PACKED", "DELIVERED"),
        "sales_order_fulfillment_rows": listing(part(_FULFILLMENT_ROW, ("sales_order_row_id", "quantity")), 1),
        "picked_date": instant(),
        "conversion_rate": number(0, 10**12, nullable=True),
        "conversion_date": instant(nullable=True),
    }
    | _TRACKING,
    ("sales_order_id", "status", "sales_order_fulfillment_rows"),
)
FULFILLMENT_CHANGE = Shape(
    {
        "status": word("PACKED", "DELIVERED"),
        "picked_date": instant(),
        "conversion_rate": number(0, 10**12, nullable=True),
        "conversion_date": instant(nullable=True),
        "packer_id": identifier(),
        "tracking_number": text(1, 256, nullable=True),
        "tracking_url": text(1, 2048, nullable=True),
        "tracking_carrier": _TEXT_OR_NULL,
        "tracking_method": _TEXT_OR_NULL,
    }
)

# Customers: K-38
_PERSON = ("first_name", "last_name", "company", "email", "phone", "comment")
NEW_CUSTOMER = Shape(
    {
        "name": text(1),
        **dict.fromkeys(_PERSON, text()),
        "currency": text(3, 3),
        "reference_id": text(0, 100),
        "category": text(0, 100),
        "discount_rate": number(0, 100, nullable=True),
        "addresses": listing(part(_ADDRESS | {"default": flag()}, ("entity_type",))),
    },
    ("name",),
)
CUSTOMER_CHANGE = Shape(
    {
        "name": _SET_OR_NULL,
        **dict.fromkeys(_PERSON, _SET_OR_NULL),
        "currency": text(3, 3, nullable=True),
        "reference_id": text(1, 100, nullable=True),
        "category": text(1, 100, nullable=True),
        "discount_rate": number(0, 100, nullable=True),
        "default_shipping_id": identifier(nullable=True),
    }
)
NEW_CUSTOMER_ADDRESS = Shape(
    _ADDRESS | {"customer_id": identifier(), "default": flag()}, ("customer_id", "entity_type")
)
CUSTOMER_ADDRESS_CHANGE = Shape(_ADDRESS_CHANGE | {"default": flag()})
NEW_TAX_RATE = Shape({"rate": Field(("number",), low=0, high=Decimal("999.999")), "name": text()}, ("rate",))

# Catalogue
_VARIANT: dict[str, Field] = {
    "sku": text(),
    "sales_price": number(0, 10**11, nullable=True),
    "purchase_price": number(0, 10**11),
    "internal_barcode": text(3, 40),
    "registered_barcode": text(0, 120),
    "supplier_item_codes": listing(text(1)),
    "lead_time": Field(("integer",), nullable=True, low=0, high=999),
    "minimum_order_quantity": number(0, nullable=True),
    "config_attributes": listing(
        part({"config_name": text(), "config_value": text()}, ("config_name", "config_value"))
    ),
    "custom_fields": listing(part({"field_name": text(0, 40), "field_value": text(0, 100)}), 0, 3),
}
NEW_VARIANT = Shape(_VARIANT | {"product_id": identifier(), "material_id": identifier()})
VARIANT_CHANGE = Shape(_VARIANT)
_ITEM: dict[str, Field] = {
    "name": text(1, 256),
    "uom": text(1, 7),
    "category_name": text(0, 35),
    "is_sellable": flag(),
    "additional_info": text(),
    "custom_field_collection_id": identifier(nullable=True),
}
_MADE_ITEM = dict.fromkeys(
    ("is_producible", "is_purchasable", "is_auto_assembly", "batch_tracked", "serial_tracked"), flag()
)
_MATERIAL_VARIANT = {name: field for name, field in _VARIANT.items() if name != "sales_price"}
_SERVICE_VARIANT: dict[str, Field] = {
    "sku": text(),
    "sales_price": number(0, 10**11, nullable=True),
    "default_cost": number(0, 10**11, nullable=True),
}
_CONFIGS = {"configs": listing(part({"name": text(1), "values": listing(text(1))}, ("name", "values")), 0, 10)}
NEW_ITEM = {
    "product": Shape(_ITEM | _MADE_ITEM | _CONFIGS | {"variants": listing(part(_VARIANT), 1)}, ("name", "variants")),
    "material": Shape(_ITEM | _CONFIGS | {"variants": listing(part(_MATERIAL_VARIANT), 1)}, ("name", "variants")),
    "service": Shape(_ITEM | {"variants": listing(part(_SERVICE_VARIANT), 1, 1)}, ("name", "variants")),
}
ITEM_CHANGE = {
    "product": Shape(_ITEM | _MADE_ITEM | {"is_archived": flag()}),
    "material": Shape(_ITEM | {"is_archived": flag()}),
    "service": Shape(_ITEM | _SERVICE_VARIANT | {"is_archived": flag()}),
}

# Stock: K-77
NEW_ADJUSTMENT = Shape(
    {
        "location_id": identifier(),
        "stock_adjustment_number": text(1),
        "stock_adjustment_date": instant(),
        "reason": text(),
        "additional_info": text(),
        "stock_adjustment_rows": listing(
            part(
                {
                    "variant_id": identifier(),
                    "quantity": number(-(10**17), 10**17),
                    "cost_per_unit": number(0),
                    "batch_transactions": listing(anything()),
                    "traceability": listing(anything()),
                },
                ("variant_id", "quantity"),
            ),
            1,
        ),
    },
    ("location_id", "stock_adjustment_rows"),
)
NEW_SAFETY_STOCK = Shape(
    {"variant_id": identifier(), "location_id": identifier(), "value": number(0)},
    ("variant_id", "location_id", "value"),
)

SEARCH = Shape(
    {
        "filter": anything(),
        "order": Field(("string", "array")),
        "limit": Field(("integer",), low=0, high=200),
        "page": Field(("integer",), low=1),
    }
)
VARIANT_SEARCH = Shape({**SEARCH.properties, "include": listing(word("item", "archived", "deleted"))})


def _webhook(scheme: str, required: tuple[str, ...] = ()) -> Shape:
    return Shape(
        {
            "url": Field(("string",), pattern=f"^{scheme}://.*$"),
            "subscribed_events": listing(word(*EVENTS), 1),
            "enabled": flag(),
            "description": text(),
        },
        required,
    )


# Webhooks, by what their URL must begin with: K-92
_SCHEMES = {"https": "https", "http": "https?"}
NEW_WEBHOOK = {name: _webhook(scheme, ("url", "subscribed_events")) for name, scheme in _SCHEMES.items()}
WEBHOOK_CHANGE = {name: _webhook(scheme) for name, scheme in _SCHEMES.items()}
