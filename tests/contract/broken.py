"""Connectors that break one promise each; ``rules`` names what the kit must say of them, and nothing else."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import httpx
from pydantic import BaseModel, ConfigDict, Field

from hub.contract import (
    AuthorizationError,
    Finding,
    Location,
    RejectedError,
    Secret,
    TransientError,
    hookimpl,
)
from hub.contract import OutsideUrl as Url
from tests.contract.tiny import TinySettings, TinyShop
from tests.contract.tiny_system import Json

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # loopback only; loading certificates takes long


@dataclass(frozen=True, slots=True)
class Broken:
    """A connector class and the rules that must fail on it."""

    connector: type
    rules: frozenset[str]


BROKEN: list[Broken] = []


def breaks(*rules: str) -> Callable[[type], type]:
    """Register a broken connector."""

    def register(connector: type) -> type:
        BROKEN.append(Broken(connector, frozenset(rules)))
        return connector

    return register


# Rules about every connector


@breaks("test_capabilities_are_exactly_the_implemented_hooks")
class PromisesMore(TinyShop):
    capabilities = TinyShop.capabilities | {"push_inventory"}


class _Bare(TinySettings):
    page_size: int = 2


@breaks("test_every_setting_is_described_with_an_example")
class DescribesNothing(TinyShop):
    settings_model: ClassVar[type[BaseModel]] = _Bare


class _Lax(TinySettings):
    model_config = ConfigDict(frozen=True, extra="ignore")


@breaks("test_an_unknown_setting_is_refused")
class TakesAnySetting(TinyShop):
    settings_model: ClassVar[type[BaseModel]] = _Lax


class _PlainUrl(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="Where the system answers.", examples=["https://tiny.example"])
    api_key: Secret = Field(description="Its key.", examples=["${TINY_API_KEY}"])


@breaks("test_settings_refuse_plain_http_to_another_machine")
class TakesPlainHttp(TinyShop):
    settings_model: ClassVar[type[BaseModel]] = _PlainUrl


class _OpenSecret(TinySettings):
    url: Url = Field(description="Where the system answers.", examples=["https://tiny.example"])
    webhook_secret: str = Field(default="hook-secret", description="Signs deliveries.")


@breaks("test_secret_settings_are_typed_secret")
class HoldsSecretsOpenly(TinyShop):
    settings_model: ClassVar[type[BaseModel]] = _OpenSecret


@breaks("test_no_secret_appears_in_errors_logs_or_findings")
class RepeatsWhatTheServerSays(TinyShop):
    def read(self, response: httpx.Response, *, reads: bool) -> Json:
        if response.status_code == 400:
            raise RejectedError("refused", response.text, where="tiny", do="Mend it.")
        return super().read(response, reads=reads)


@breaks("test_check_connection_finds_a_healthy_system_healthy")
class ChecksNothing(TinyShop):
    @hookimpl
    def check_connection(self) -> list[Finding]:
        self.send("GET", "me")
        return []


@breaks("test_refused_credentials_raise_authorization_error")
class CallsARefusedKeyARejection(TinyShop):
    def read(self, response: httpx.Response, *, reads: bool) -> Json:
        try:
            return super().read(response, reads=reads)
        except AuthorizationError as error:
            raise RejectedError(error.code, error.what, where=error.where, do=error.do) from error


@breaks("test_locations_have_refs_of_their_own")
class ListsLocationsTwice(TinyShop):
    @hookimpl
    def list_locations(self) -> list[Location]:
        return 2 * super().list_locations()


@breaks("test_hooks_return_the_values_of_the_contract")
class ReturnsATuple(TinyShop):
    @hookimpl
    def list_locations(self) -> Any:
        return tuple(super().list_locations())


@breaks("test_a_failing_read_raises_transient_error")
class ListsNothingWhenTheServerIsAway(TinyShop):
    @hookimpl
    def list_locations(self) -> list[Location]:
        try:
            return super().list_locations()
        except TransientError:
            return []


@breaks("test_reads_pass_in_a_dry_run")
class SearchesWithoutSayingSo(TinyShop):
    @hookimpl
    def list_locations(self) -> list[Location]:
        rows = self.send("POST", "locations", body={}, reads=False)["locations"]
        return [Location(ref=row["id"], name=row["name"], kind="ships") for row in rows]


@breaks("test_every_call_goes_through_the_lent_client")
class BringsItsOwnClient(TinyShop):
    @hookimpl
    def list_locations(self) -> list[Location]:
        settings = self.connection.settings
        headers = {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}
        try:
            response = httpx.get(f"{settings.url}/locations", headers=headers, trust_env=False, verify=NO_TLS)
        except httpx.HTTPError as error:
            raise TransientError("no-answer", "no answer", where="tiny", do="Wait.") from error
        rows = self.read(response, reads=True)["locations"]
        return [Location(ref=row["id"], name=row["name"], kind="ships") for row in rows]
