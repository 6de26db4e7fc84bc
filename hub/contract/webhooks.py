"""Webhooks: what came in, what it hints at, and what is subscribed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hub.contract.model import Value


class HintKind(StrEnum):
    """What a webhook says has changed; the lane looks there, and believes nothing else of it."""

    ORDERS = "orders"
    FULFILLMENTS = "fulfillments"
    INVENTORY = "inventory"
    PRODUCTS = "products"
    CANCELLATIONS = "cancellations"
    RETURNS = "returns"
    AUTHORIZATION = "authorization"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One delivery as it came: header names in lower case, the body's raw bytes."""

    headers: Mapping[str, str]
    body: bytes


class Hint(Value):
    """Something changed: of what kind, and of which record of the other side (None: it does not say)."""

    kind: HintKind
    ref: str | None = None


class Subscription(Value):
    """One event that the other side delivers, and where to."""

    event: str
    url: str
    active: bool = True
