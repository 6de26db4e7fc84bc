"""The simulated answers against the public client's specification, where a copy of it lies beside the repository."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from katana_simulator import bodies
from katana_simulator.events import EVENTS
from ruamel.yaml import YAML

from tests.plugins.katana.katana_account import Account, opened

SPECIFICATION = Path(__file__).parents[4] / "shared" / "reference" / "katana-openapi.yaml"
ADDRESSES = [{"entity_type": "billing", "city": "Bonn"}, {"entity_type": "shipping", "city": "Riga"}]
RESOURCES = {
    "locations": "Location",
    "variants?include_archived=true": "Variant",
    "products": "Product",
    "materials": "Material",
    "services": "Service",
    "customers": "Customer",
    "customer_addresses": "CustomerAddress",
    "tax_rates": "TaxRate",
    "sales_orders": "SalesOrder",
    "sales_order_rows": "SalesOrderRow",
    "sales_order_addresses": "SalesOrderAddress",
    "sales_order_shipping_fee": "SalesOrderShippingFee",
    "sales_order_fulfillments": "SalesOrderFulfillment",
    "inventory": "Inventory",
    "inventory_movements": "InventoryMovement",
    "stock_adjustments": "StockAdjustment",
    "webhooks": "Webhook",
}
UNDECLARED = {  # fields the gateway or the portal shows, which that specification lacks
    "SalesOrderRow": {"traceability"},
}
NULL_TOO = {("SalesOrderShippingFee", "tax_rate_id")}  # a fee without tax; the specification forgets the null


@pytest.fixture
def account() -> Iterator[Account]:
    with opened() as running:
        yield running


@pytest.fixture(scope="module")
def schemas() -> dict[str, Any]:
    if not SPECIFICATION.exists():
        pytest.skip(f"no copy of the specification at ../shared/reference/{SPECIFICATION.name}")
    loaded = YAML(typ="safe", pure=False).load(SPECIFICATION.read_text(encoding="utf-8"))
    return dict(loaded["components"]["schemas"])


def declared(schemas: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The properties of a schema, through references and allOf."""
    if "$ref" in schema:
        return declared(schemas, schemas[schema["$ref"].rsplit("/", 1)[1]])
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", []):
        found |= declared(schemas, part)
    return found


def types_of(schemas: dict[str, Any], schema: dict[str, Any]) -> set[str]:
    """JSON types a property may have; empty where the specification does not say."""
    if "$ref" in schema:
        return types_of(schemas, schemas[schema["$ref"].rsplit("/", 1)[1]])
    parts = [types_of(schemas, part) for part in schema.get("anyOf", [])]
    if parts:
        return set().union(*parts)
    named = schema.get("type", [])
    return {named} if isinstance(named, str) else set(named)


def json_type(value: Any) -> set[str]:
    kinds = {bool: {"boolean"}, str: {"string"}, list: {"array"}, dict: {"object"}, type(None): {"null"}}
    return kinds.get(type(value), {"number", "integer"} if isinstance(value, int) else {"number"})


def fill(account: Account) -> None:
    order = account.order(("MUG", 2), ("GIFT", 1), addresses=ADDRESSES, order_no="A")
    account.post("/v1/sales_order_shipping_fee", json={"sales_order_id": order["id"], "amount": "5"})
    account.ship(order, 1, 1)
    address = {"customer_id": account.customer, "entity_type": "shipping"}
    account.post("/v1/customer_addresses", json=address)
    row = {"variant_id": account.variants["MUG"], "quantity": 1}
    body = {"location_id": account.locations["Main"], "stock_adjustment_rows": [row]}
    account.post("/v1/stock_adjustments", json=body)
    webhook = {"url": "https://hub.example.com", "subscribed_events": ["product.created"]}
    account.post("/v1/webhooks", json=webhook)


def test_every_field_answered_is_declared_with_its_type(account: Account, schemas: dict[str, Any]) -> None:
    fill(account)
    odd: list[str] = []
    for path, name in RESOURCES.items():
        rows = account.get(f"/v1/{path}").json()["data"]
        assert rows, f"nothing to check at {path}"
        properties = declared(schemas, schemas[name])
        for field, value in rows[0].items():
            if field not in properties:
                if field not in UNDECLARED.get(name, set()):
                    odd.append(f"{name}.{field} is not declared")
            elif value is None and (name, field) in NULL_TOO:
                continue
            elif (types := types_of(schemas, properties[field])) and not types & json_type(value):
                odd.append(f"{name}.{field} is {value!r}, declared {sorted(types)}")
    assert odd == []


def test_every_event_to_subscribe_to_is_declared(schemas: dict[str, Any]) -> None:
    """K-98: what is declared besides, an account may not know."""
    assert set(EVENTS) < set(schemas["WebhookEvent"]["enum"])


def test_a_webhook_takes_what_is_declared_and_nothing_else(account: Account, schemas: dict[str, Any]) -> None:
    """K-92."""
    for method, path, name in (
        ("POST", "/v1/webhooks", "CreateWebhookRequest"),
        ("PATCH", "/v1/webhooks/101", "UpdateWebhookRequest"),
    ):
        given: dict[str, Any] = {
            "url": "https://hub.example.com",
            "subscribed_events": ["product.created"],
            "enabled": True,
            "description": "x",
        }
        assert set(given) == set(schemas[name]["properties"])
        assert account.request(method, path, json=given).status_code == 200
        assert account.request(method, path, json=given | {"more": 1}).status_code == 422
    assert bodies.NEW_WEBHOOK["https"].properties["url"].pattern == schemas[name]["properties"]["url"]["pattern"]
