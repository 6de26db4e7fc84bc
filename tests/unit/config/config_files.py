"""Stand-in connectors, and short ways to load a text as a route file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from hub.config import Config, Fault, RouteFileError, load
from hub.contract import OutsideUrl, Secret

CANARY = "canary-7c1f"
ENVIRON = {"APP_KEY": "key-of-app", "SHOP_TOKEN": CANARY + "-token", "ERP_API_KEY": CANARY + "-key", "PLACE": "West"}


class Limits(BaseModel):
    model_config = ConfigDict(extra="forbid")

    burst: int = Field(default=1, ge=1)
    password: Secret | None = None


class ShopSettings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    app_key: str = Field(min_length=1, description="Key of the app.", examples=["abc"])
    token: Secret = Field(description="Token.", examples=["${SHOP_TOKEN}"])
    shop: str = Field(default="1", description="Id of the shop.", examples=["7495"])
    api_url: OutsideUrl = Field(default="https://shop.example", description="Where it is.", examples=["https://a.b"])
    overlap_s: float = Field(default=300, ge=0, description="Overlap.", examples=[60])
    spare_token: Secret | None = Field(default=None, description="Another.", examples=["${SPARE}"])
    limits: Limits = Field(default_factory=Limits, description="Limits.", examples=[{"burst": 2}])
    by_region: dict[str, list[int]] = Field(default_factory=dict, description="By region.", examples=[{"US": [1]}])

    @field_validator("app_key")
    @classmethod
    def _has_no_space(cls, value: str) -> str:
        if " " in value:
            raise ValueError(f"{value} holds a space")
        return value

    @model_validator(mode="after")
    def _one_token(self) -> ShopSettings:
        if self.spare_token and self.spare_token == self.token:
            raise ValueError(f"both tokens are {self.token.get_secret_value()}")
        return self


class Steady(BaseModel):
    every_s: int
    jitter_s: int = 0


class Bursts(BaseModel):
    calls: int
    per_s: int


class ErpSettings(BaseModel):
    """Forbids no unknown keys by itself; the hub does."""

    model_config = ConfigDict(frozen=True)

    api_key: Secret
    api_url: OutsideUrl = "https://erp.example/v1"
    login_url: OutsideUrl | None = None
    requests_per_minute: int = Field(default=60, ge=1, le=600)
    pace: Steady | Bursts | None = None


class ShopConnector:
    name: ClassVar[str] = "shop"
    settings_model: ClassVar[type[BaseModel]] = ShopSettings
    capabilities: ClassVar[frozenset[str]] = frozenset({"check_connection", "pull_orders", "fetch_orders"})
    in_flight: ClassVar[int] = 1

    def __init__(self, connection: Any) -> None: ...


class ErpConnector:
    name: ClassVar[str] = "erp"
    settings_model: ClassVar[type[BaseModel]] = ErpSettings
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"find_orders", "push_order", "find_variants", "pull_products", "list_locations"}
    )
    in_flight: ClassVar[int] = 1

    def __init__(self, connection: Any) -> None: ...


class AbleShop(ShopConnector):
    """A shop that can do all that a route may ask of a channel."""

    capabilities: ClassVar[frozenset[str]] = ShopConnector.capabilities | {
        "push_fulfillment", "list_carriers", "fetch_label", "pull_products", "pull_inventory", "push_inventory",
        "push_products", "check_listing", "pull_cancellations", "decide_cancellation", "cancel_order", "pull_returns",
    }  # fmt: skip


class AbleErp(ErpConnector):
    """An ERP that can do all that a route may ask of one."""

    capabilities: ClassVar[frozenset[str]] = ErpConnector.capabilities | {
        "pull_fulfillments", "fetch_fulfillments", "pull_inventory", "push_fulfillment", "cancel_order",
        "update_order", "push_return",
    }  # fmt: skip


CONNECTORS: Mapping[str, Any] = {"shop": ShopConnector, "erp": ErpConnector}
ABLE: Mapping[str, Any] = {"shop": AbleShop, "erp": AbleErp}

PLAIN = """\
version: 1
connections:
  shop-us: {connector: shop, settings: {app_key: ${APP_KEY}, token: ${SHOP_TOKEN}}}
  katana: {connector: erp, settings: {api_key: ${ERP_API_KEY}}}
routes:
  - name: us-shop
    channel: shop-us
    erp: katana
"""


def load_text(
    folder: Path,
    text: str | bytes,
    environ: Mapping[str, str] = ENVIRON,
    *,
    connectors: Mapping[str, Any] = CONNECTORS,
) -> Config:
    path = folder / "route.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(path, connectors, environ)


def faults_of(
    folder: Path,
    text: str | bytes,
    environ: Mapping[str, str] = ENVIRON,
    *,
    connectors: Mapping[str, Any] = CONNECTORS,
) -> list[Fault]:
    """Return the faults of a text, after a look at the error's own text."""
    error: RouteFileError | None = None
    try:
        load_text(folder, text, environ, connectors=connectors)
    except RouteFileError as caught:
        error = caught
    if error is None:
        return []
    assert CANARY not in str(error) + repr(error)
    assert len(str(error).splitlines()) == len(error.faults)
    assert list(error.faults) == sorted(error.faults)
    return list(error.faults)


def only_fault(
    folder: Path,
    text: str | bytes,
    environ: Mapping[str, str] = ENVIRON,
    *,
    connectors: Mapping[str, Any] = CONNECTORS,
) -> Fault:
    faults = faults_of(folder, text, environ, connectors=connectors)
    assert len(faults) == 1, faults
    return faults[0]


def with_orders(lines: str) -> str:
    """Return the plain file with an ``orders`` section; its first line is line 10."""
    return with_section("orders", lines)


def with_section(name: str, lines: str) -> str:
    """Return the plain file with a section of the route; its first line is line 10."""
    return PLAIN + f"    {name}:\n" + "".join(f"      {line}\n" for line in lines.splitlines())
