"""What the operator sets for one TikTok Shop connection."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.contract import OutsideUrl, Secret

Region = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
US_CONSENT = "https://services.us.tiktokshop.com/open/authorize"  # T-03
Level = Annotated[str, Field(pattern=r"^L[0-9]$")]


class TikTokSettings(BaseModel):
    """Settings of a TikTok Shop connection; one shop is one connection."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    app_key: str = Field(min_length=1, description="App key, from Partner Center.", examples=["6exampleappkey"])
    app_secret: Secret = Field(description="App secret, from Partner Center.", examples=["${TIKTOK_APP_SECRET}"])
    refresh_token: Secret | None = Field(
        default=None,
        description="Refresh token of a consent that was given elsewhere. Used once, to begin with; then the stored "
        "pair counts. Not needed with hub connect.",
        examples=["${TIKTOK_REFRESH_TOKEN}"],
        json_schema_extra={"x-hub-init": False},
    )
    shop: str = Field(
        min_length=1, description="Id of the shop, as the API tells it.", examples=["7495000000000000001"]
    )
    service_id: str | None = Field(
        default=None,
        description="The app's service id in Partner Center; hub connect needs it for the page of consent.",
        examples=["7172000000000000001"],
        json_schema_extra={"x-hub-init": True},
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
    market: Literal["us", "row"] | None = Field(
        default=None,  # T-03
        description="Where the app was made: `us` for the US Partner Center, `row` for the rest of the world. "
        "Chooses the page of consent, unless `consent_url` is given.",
        examples=["us"],
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
    writes_per_second: int = Field(
        default=3,  # T-101
        ge=1,
        le=50,
        description="Requests per second to one endpoint that changes something, for this app and shop.",
        examples=[3],
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
    zero_allowed: bool = Field(
        default=True,  # T-99
        description="Whether this account takes a stock of 0. Where it does not, a sold-out item is shown as refused, "
        "to be deactivated by hand.",
        examples=[True],
    )
    handover: Literal["default", "drop_off", "pickup"] = Field(
        default="default",  # T-105
        description="How parcels that TikTok Shop carries are handed over, outside the US and South-East Asia: by the "
        "shop's own default, dropped off, or picked up at the next free slot (one call more per parcel).",
        examples=["drop_off"],
    )
    batch_size: int = Field(
        default=50,  # T-105
        ge=1,
        le=100,
        description="Packages that one call ships at most.",
        examples=[50],
    )
    label_size: Literal["A6", "A5"] = Field(
        default="A6",  # T-110
        description="Size of the labels of parcels that TikTok Shop carries.",
        examples=["A6"],
    )
    label_format: Literal["PDF", "ZPL"] = Field(
        default="PDF",  # T-110
        description="Format of those labels; ZPL is offered in Brazil only.",
        examples=["PDF"],
    )
    received_statuses: tuple[str, ...] = Field(
        default=("RETURN_OR_REFUND_REQUEST_COMPLETE", "REPLACEMENT_REQUEST_COMPLETE"),  # T-115
        description="Statuses of a return that mean its goods have arrived; they count only where goods were sent.",
        examples=[["RETURN_OR_REFUND_REQUEST_COMPLETE", "RETURN_OR_REFUND_REQUEST_SUCCESS"]],
    )
    category_version: Literal["v1", "v2"] = Field(
        default="v2",  # T-121
        description="Version of the category tree that listings use.",
        examples=["v2"],
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
    def consent_page(self) -> str:
        """The page of consent: as given, else the market's own (T-03)."""
        is_own_choice = "consent_url" in self.model_fields_set
        return US_CONSENT if self.market == "us" and not is_own_choice else self.consent_url

    @property
    def consent_link(self) -> str:
        """Where a person consents; carries no secret and, as the vendor wants it, no redirect address (T-04)."""
        return f"{self.consent_page}?service_id={self.service_id or '<service id of the app>'}"
