"""Rules about a connector as such: what it declares, its settings, secrets, credentials and places."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from hub.contract import (
    Account,
    AuthorizationError,
    Finding,
    HubError,
    Location,
    Order,
    PlacedOrder,
    TransientError,
    Variant,
)  # fmt: skip
from hub.host.register import verify
from hub.testing._feeds import feeds
from hub.testing.connection import Bench
from hub.testing.faults import Kind
from hub.testing.stage import Stage, demand, needs, shown

READ_FAULTS = (Kind.PACE, Kind.BROKEN, Kind.AWAY, Kind.CUT_BODY, Kind.GARBAGE)
TELLING_FAULTS = (Kind.PACE, Kind.AWAY, Kind.CUT_BODY, Kind.GARBAGE, Kind.ECHO)
SECRET_WORDS = ("api_key", "apikey", "secret", "token", "password", "passphrase", "private")
RETURNS: dict[str, type] = {
    "check_connection": Finding, "list_locations": Location, "fetch_orders": Order, "find_orders": PlacedOrder,
    "find_variants": Variant, "list_accounts": Account, "check_listing": Finding,
}  # fmt: skip


class AccountRules:
    """Rules for every connector."""

    def test_capabilities_are_exactly_the_implemented_hooks(self, stage: Stage) -> None:
        """What is promised can be called, and what can be called is promised; arguments are the hook's own."""
        verify(stage.connector_class, stage.connector_class.name, "the kit")

    def test_every_setting_is_described_with_an_example(self, stage: Stage) -> None:
        """The operator's editor shows both; a setting with a default of its own may do without an example."""
        fields = stage.connector_class.settings_model.model_fields
        demand(fields, "the settings model has no fields")
        bare = sorted(name for name, each in fields.items() if not each.description)
        demand(not bare, f"settings without a description: {', '.join(bare)}")
        unshown = sorted(name for name, each in fields.items() if each.is_required() and not each.examples)
        demand(not unshown, f"required settings without an example: {', '.join(unshown)}")

    def test_an_unknown_setting_is_refused(self, stage: Stage) -> None:
        """A typing slip must not pass for a setting that is left out."""
        given = stage.outside.settings(stage.channel.url)
        stage.connector_class.settings_model.model_validate(given)
        try:
            stage.connector_class.settings_model.model_validate(given | {"no_such_setting": "x"})
        except ValidationError:
            return
        raise AssertionError("the settings model takes any name; give it model_config = ConfigDict(extra='forbid')")

    def test_settings_refuse_plain_http_to_another_machine(self, stage: Stage) -> None:
        """Secrets and buyers would travel in the open; hub.contract.OutsideUrl refuses it before anything runs."""
        given = stage.outside.settings(stage.channel.url)
        urls = [name for name, value in given.items() if str(value).startswith(stage.channel.url)]
        demand(urls, "no setting holds the address of the outside, so nobody can point the connector at a test server")
        for name in urls:
            try:
                stage.connector_class.settings_model.model_validate(given | {name: "http://shop.example/api"})
            except ValidationError:
                continue
            raise AssertionError(f"setting {name!r} takes http://shop.example; make it a hub.contract.OutsideUrl")

    def test_secret_settings_are_typed_secret(self, stage: Stage) -> None:
        """hub.contract.Secret keeps a value out of the route file and out of every repr."""
        fields = stage.connector_class.settings_model.model_json_schema()["properties"]
        named = {name for name in fields if any(word in name.lower() for word in SECRET_WORDS)}
        settings = stage.bench().connection.settings
        held = {name for name in fields if isinstance(getattr(settings, name), SecretStr)}
        demand(named or held or not stage.stated.has_credentials, "no setting holds a credential; say has_credentials")
        open_ones = sorted(name for name in named | held if not _is_marked(fields[name]))
        demand(not open_ones, f"not typed hub.contract.Secret: {', '.join(open_ones)}")

    def test_no_secret_appears_in_errors_logs_or_findings(self, stage: Stage) -> None:
        """The other side may echo all it was sent; what a connector says may end in a ticket or a log."""
        bench = stage.bench()
        deeds = [*reads(stage, bench).values()]
        findings = [stage.attempt(deed) for deed in deeds]
        secrets = _secrets(bench)
        demand(secrets or not stage.stated.has_credentials, "no setting is a Secret, so there is nothing to check")
        stage.errors.clear()
        for kind in TELLING_FAULTS:
            stage.channel.fail(kind)
            findings += [stage.attempt(deed) for deed in deeds]
        demand(stage.errors, "no fault led to an error, so there is nothing to check")
        texts = [repr(findings), repr(bench.connector), repr(bench.log.lines), repr(bench.traced)]
        said = "\n".join([*texts, *map(told, stage.errors)])
        leaked = sorted(name for name, value in secrets.items() if value in said)
        demand(not leaked, f"these appear in an error, a log line or a finding: {', '.join(leaked)}")

    @needs("check_connection")
    def test_check_connection_finds_a_healthy_system_healthy(self, stage: Stage) -> None:
        """At least one finding, none against; an empty list would say that nothing was looked at."""
        findings = stage.bench().hooks.check_connection()
        demand(findings, "check_connection found nothing at all")
        wrong = [one.what for one in findings if not one.ok]
        demand(not wrong, f"the outside is healthy, yet: {'; '.join(wrong)}")

    def test_refused_credentials_raise_authorization_error(self, stage: Stage) -> None:
        """The hub pauses the Connection and calls a person; any other error would be tried again, or block an order."""
        if not stage.stated.has_credentials:
            pytest.skip("the system has no credentials")
        bench = stage.bench()
        deeds = reads(stage, bench)
        demand(deeds, "no hook reads anything, so nothing shows that credentials are refused")
        for deed in deeds.values():
            deed()
        stage.outside.refuse_credentials()
        for name, deed in deeds.items():
            result = stage.attempt(deed)
            demand(isinstance(result, AuthorizationError), f"{name} with refused credentials gave {shown(result)}")

    @needs("list_locations")
    def test_locations_have_refs_of_their_own(self, stage: Stage) -> None:
        """Stock is kept by Location; two of one ref would be counted as one."""
        refs = [place.ref for place in stage.bench().hooks.list_locations()]
        demand(refs, "list_locations gave none, so there is nothing to check")
        twice = sorted({ref for ref in refs if refs.count(ref) > 1})
        demand(not twice, f"several locations are called {', '.join(twice)}")

    def test_hooks_return_the_values_of_the_contract(self, stage: Stage) -> None:
        """The hub stores what it gets; a dictionary of the vendor's own would be found out at midnight."""
        bench = stage.bench()
        checked = 0
        for name, deed in reads(stage, bench).items():
            if name in RETURNS:
                result = deed()
                demand(isinstance(result, list), f"{name} returned {type(result).__name__}, not a list")
                strange = [shown(item) for item in result if not isinstance(item, RETURNS[name])]
                demand(not strange, f"{name} returned what is no {RETURNS[name].__name__}: {strange[:1]}")
                checked += len(result)
        demand(checked, "no hook returned anything, so there is nothing to check")

    def test_a_failing_read_raises_transient_error(self, stage: Stage) -> None:
        """On 429, 500, a 503 or a success that is no JSON, a cut or missing answer: the hub waits, and asks again.

        A shorter result would be worse than an error: an order that is not listed counts as not there.
        """
        bench = stage.bench()
        deeds = {name: deed for name, deed in reads(stage, bench).items() if name in RETURNS}
        struck = 0
        for name, deed in deeds.items():
            deed()
            clean = canonical(deed())
            calls = stage.calls_of(deed)
            for kind in READ_FAULTS:
                for first in range(1, min(calls, 4) + 1):
                    stage.channel.fail(kind, first=first)
                    result = stage.attempt(deed)
                    stage.channel.heal()
                    struck += isinstance(result, TransientError)
                    fine = isinstance(result, TransientError) or canonical(result) == clean
                    demand(fine, f"{name}, {kind} from call {first} on: {shown(result)}")
        demand(struck or not deeds, "no read made a call, so no fault could strike")

    def test_reads_pass_in_a_dry_run(self, stage: Stage) -> None:
        """A dry run stops every request that is not told to be a read; a search by POST needs ``Call(reads=True)``."""
        bench = stage.bench()
        deeds = reads(stage, bench)
        for deed in deeds.values():
            deed()
        bench.memory.clear()
        bench.guard.dry = True
        made = stage.calls_of(lambda: [deed() for deed in deeds.values()])
        demand(made, "no read made a call, so there is nothing to check")

    def test_every_call_goes_through_the_lent_client(self, stage: Stage) -> None:
        """What goes past it has no budget, no retry, no dry run and no trace."""
        bench = stage.bench()
        for deed in reads(stage, bench).values():
            deed()
        if {"push_order", "find_variants"} <= stage.hooks:
            bench.hooks.push_order(order=stage.order(stage.variants(bench)), existing=None)
        counted, came = bench.guard.reads + bench.guard.writes, len(stage.channel.calls)
        demand(came, "no call was made, so there is nothing to check")
        demand(counted == came, f"{came} calls reached the outside, {counted} of them through connection.http")


def reads(stage: Stage, bench: Bench) -> dict[str, Callable[[], Any]]:
    """Return, by hook, a call of each implemented hook that only reads, with something there to be read."""
    hooks, has = bench.hooks, stage.hooks
    deeds: dict[str, Callable[[], Any]] = {}
    for name in ("check_connection", "list_locations", "list_accounts", "check_listing"):
        if name in has:
            deeds[name] = getattr(hooks, name)
    if "pull_orders" in has:
        stage.seed()
        deeds["pull_orders"] = lambda: stage.whole(bench).items
    if {"pull_orders", "fetch_orders"} <= has:
        known = stage.whole(bench).items[:2]
        deeds["fetch_orders"] = lambda: stage.fetch(bench, known)
    if "find_variants" in has:
        skus = [variant.sku for variant in stage.variants(bench)]
        deeds["find_variants"] = lambda: hooks.find_variants(skus=skus)
    if {"find_variants", "push_order", "find_orders"} <= has:
        orders = [stage.order(stage.variants(bench)) for _ in range(3)]
        for order in orders[:2]:
            hooks.push_order(order=order, existing=None)
        deeds["find_orders"] = lambda: stage.find(bench, orders)
    if {"find_variants", "pull_inventory"} <= has:
        refs = [variant.ref for variant in stage.variants(bench)]
        deeds["pull_inventory"] = lambda: list(hooks.pull_inventory(variants=refs, location=None))
    for hook in feeds(stage, bench):
        deeds[hook] = partial(_items, stage, bench, hook)
    return deeds


def _items(stage: Stage, bench: Bench, hook: str) -> list[Any]:
    return stage.whole(bench, hook=hook).items


def canonical(result: Any) -> Any:
    """Return a result so that two readings of the same compare equal, whatever their order."""
    return sorted(map(repr, result)) if isinstance(result, list | tuple) else repr(result)


def told(error: Exception) -> str:
    """Return all that an error may come to say: its text, its parts, its causes and their traceback."""
    parts = (error.code, error.what, error.where, error.do) if isinstance(error, HubError) else ()
    return "".join([repr(error), *parts, *traceback.format_exception(error)])


def _is_marked(schema: dict[str, Any]) -> bool:
    return any(each.get("x-hub-secret") is True for each in (schema, *schema.get("anyOf", ())))


def _secrets(bench: Bench) -> dict[str, str]:
    settings = bench.connection.settings
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    secrets = {name: value.get_secret_value() for name, value in values.items() if isinstance(value, SecretStr)}
    if bench.authorisation.refresh is not None:
        try:
            secrets["the access token"] = bench.authorisation.access_token()
        except AuthorizationError as error:
            if error.code != "not-connected":  # consent is one of two ways in, and these settings take the other
                raise
    short = sorted(name for name, value in secrets.items() if len(value) < 8)
    demand(not short, f"give test secrets of 8 letters or more, so that they can be told apart: {', '.join(short)}")
    return secrets
