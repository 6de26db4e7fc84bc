"""What the operator may set on a Katana Connection."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hub.contract import OutsideUrl, Secret

LOGIN_URL = "https://login.katanamrp.com"  # K-87


class KatanaSettings(BaseModel):
    """Settings of one Katana account: a key, or an app's client_id and client_secret, and what suits most accounts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: Secret | None = Field(
        default=None,
        description="API key, made in Katana under Settings > API > API keys. It reads and writes the whole account. "
        "Leave it out where client_id is given.",
        examples=["${KATANA_API_KEY}"],
    )
    client_id: str | None = Field(
        default=None,
        min_length=1,
        description="Id of a partner app, handed out by Katana, for consent (OAuth) instead of a key. "
        "Then: hub connect.",
        examples=["x8fExampleClientId"],
    )
    client_secret: Secret | None = Field(
        default=None,
        description="Secret of the partner app.",
        examples=["${KATANA_CLIENT_SECRET}"],
        json_schema_extra={"x-hub-init": False},
    )
    refresh_token: Secret | None = Field(
        default=None,
        description="Refresh token of a consent that was given elsewhere. Used once, to begin with; then the stored "
        "pair counts. Not needed with hub connect.",
        examples=["${KATANA_REFRESH_TOKEN}"],
        json_schema_extra={"x-hub-init": False},
    )
    login_url: OutsideUrl | None = Field(
        default=None,
        description=f"Where a person consents and tokens are renewed. With client_id: {LOGIN_URL}, if left out.",
        examples=[LOGIN_URL],
    )
    api_url: OutsideUrl = Field(
        default="https://api.katanamrp.com/v1",  # K-01
        description="Where the Katana API answers, with its version.",
        examples=["https://api.katanamrp.com/v1"],
    )
    requests_per_minute: int = Field(
        default=60,  # K-04
        ge=1,
        le=1_000_000,
        description="How many calls Katana allows in 60 seconds, over all tools that use the key. Lower it where "
        "another tool shares the key.",
        examples=[40],
    )
    page_size: int = Field(
        default=250,  # K-07 K-08
        ge=1,
        le=250,
        description="How many records to ask for at once.",
        examples=[250],
    )
    untaxed: Literal["omit", "zero_rate"] = Field(
        default="omit",  # K-50
        description="How to say that a row carries no tax: 'omit' leaves the tax rate out; 'zero_rate' names the "
        "account's 0 % rate, for accounts where Katana fills an omitted one with the default.",
        examples=["zero_rate"],
    )
    catalogue_overlap_s: int = Field(
        default=300,  # K-25 K-82
        ge=0,
        description="Seconds before the last change seen from which changed variants are read again.",
        examples=[300],
    )
    fulfillment_overlap_s: int = Field(
        default=600,  # K-25 K-71
        ge=0,
        le=604_800,
        description="Seconds before the last change seen from which changed fulfillments are read again. It should "
        "exceed what the clocks of this machine and of Katana may differ by.",
        examples=[600],
    )

    @model_validator(mode="before")
    @classmethod
    def _login_of_apps(cls, given: Any) -> Any:
        """Fill in where to log in only where it is used: the hub asks of every URL whether it is on this machine."""
        if isinstance(given, dict) and given.get("client_id") is not None and given.get("login_url") is None:
            return given | {"login_url": LOGIN_URL}
        return given

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        app = {"client_id": self.client_id, "client_secret": self.client_secret}
        if self.api_key is None and None in app.values():
            lacking = [name for name, value in app.items() if value is None]
            what = f"{lacking[0]} is missing" if len(lacking) == 1 else "nothing opens the account"
            raise ValueError(f"{what}: give api_key, or else both client_id and client_secret")
        others = app | {"refresh_token": self.refresh_token}
        if self.api_key is not None and any(value is not None for value in others.values()):
            both = ", ".join(name for name, value in others.items() if value is not None)
            raise ValueError(f"api_key and {both} are two ways into one account; give one of them only")
        return self

    @property
    def quota_holder(self) -> str:
        """What Katana counts calls against (K-04): the key, or the app."""
        return f"app {self.client_id}" if self.api_key is None else self.api_key.get_secret_value()
