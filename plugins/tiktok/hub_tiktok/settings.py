"""What the operator sets for one TikTok Shop connection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.contract import OutsideUrl, Secret

Region = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
Level = Annotated[str, Field(pattern=r"^L[0-9]$")]


class TikTokSettings(BaseModel):
    """Settings of a TikTok Shop connection; one shop is one connection."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    app_key: str = Field(min_length=1, description="App key, from Partner Center.", examples=["6exampleappkey"])
    app_secret: Secret = Field(description="App secret, from Partner Center.", examples=["${TIKTOK_APP_SECRET}"])
    refresh_token: Secret | None = Field(
        default=None,
        description="Refresh token of the owner's consent. Used once, to begin with; then the stored pair counts.",
        examples=["${TIKTOK_REFRESH_TOKEN}"],
    )
    shop: str = Field(
        min_length=1, description="Id of the shop, as the API tells it.", examples=["7495000000000000001"]
    )
    service_id: str | None = Field(
        default=None,
        description="The app's service id in Partner Center; completes the consent link that errors show.",
        examples=["7172000000000000001"],
    )
    api_url: OutsideUrl = Field(
        default="https://open-api.tiktokglobalshop.com",  # T-01
        description="Host of the API.",
        examples=["https://open-api.tiktokglobalshop.com"],
    )
    auth_url: OutsideUrl = Field(
        default="https://auth.tiktok-shops.com",  # T-02
        description="Host that exchanges tokens.",
        examples=["https://auth.tiktok-shops.com"],
    )
    consent_url: OutsideUrl = Field(
        default="https://services.tiktokshop.com/open/authorize",  # T-03
        description="Page where the shop's owner consents; shops in the US have their own.",
        examples=["https://services.us.tiktokshop.com/open/authorize"],
    )
    overlap_s: int = Field(
        default=300,
        ge=30,  # T-49: a new order may show up 30 s late
        le=86_400,
        description="Seconds that each order pull reads again, because orders may show up late.",
        examples=[300],
    )
    requests_per_second: int = Field(
        default=8,  # T-40, T-80
        ge=1,
        le=50,
        description="Requests per second to one endpoint for this app and shop.",
        examples=[8],
    )
    hold_s: int = Field(
        default=3600,  # T-59
        ge=0,
        le=604_800,
        description="Seconds after payment in which the buyer may cancel freely; TikTok Shop's own rule is one hour.",
        examples=[3600],
    )
    order_detail_version: Literal["202507", "202309"] = Field(
        default="202507",  # T-52
        description="Version of the order detail call.",
        examples=["202507"],
    )
    city_levels: dict[Region, Level] = Field(
        default_factory=dict,
        description="District level that holds the city, by region, where the built-in choice is wrong.",  # T-73
        examples=[{"US": "L3"}],
    )
    state_levels: dict[Region, Level] = Field(
        default_factory=dict,
        description="District level that holds the state or province, by region, where the built-in choice is wrong.",
        examples=[{"US": "L1"}],
    )

    @property
    def consent_link(self) -> str:
        """Where a person consents; carries no secret and, as the vendor wants it, no redirect address (T-04)."""
        return f"{self.consent_url}?service_id={self.service_id or '<service id of the app>'}"
