"""What the operator may set on a Katana Connection."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.contract import OutsideUrl, Secret


class KatanaSettings(BaseModel):
    """Settings of one Katana account; every field but the key has a value that suits most accounts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_key: Secret = Field(
        description="API key, made in Katana under Settings > API > API keys. It reads and writes the whole account.",
        examples=["${KATANA_API_KEY}"],
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
