"""Rules about consent: the page carries the state, a code becomes tokens that work, and works once."""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl, urlsplit

from hub.contract import AuthorizationError, Token
from hub.testing.connection import Bench
from hub.testing.faults import Kind
from hub.testing.rules_account import told
from hub.testing.stage import Stage, demand, needs, shown

BACK = "http://127.0.0.1:1/back"
STATE = "kit state & more"


class ConsentRules:
    """Rules about authorization_url, exchange_code, refresh_token and list_accounts."""

    @needs("authorization_url", deeds=["consent_settings"])
    def test_the_page_of_consent_carries_the_state(self, stage: Stage) -> None:
        """The hub compares it on the way back; without it anybody could connect their own account to ours."""
        bench = _bench(stage)
        pages: list[str] = []
        calls = stage.calls_of(lambda: pages.append(bench.hooks.authorization_url(state=STATE, redirect_url=BACK)))
        demand(not calls, f"the page of consent took {calls} calls; a person opens it, not the hub")
        parts = urlsplit(pages[0])
        demand(parts.scheme in ("http", "https") and parts.netloc, f"the page is at {pages[0][:80]!r}")
        values = [value for _, value in parse_qsl(parts.query)]
        demand(STATE in values, "no parameter of the page is the state, letter by letter")

    @needs("exchange_code", deeds=["consent_settings", "consent"])
    def test_the_token_of_a_code_opens_the_account(self, stage: Stage) -> None:
        """It lives from now on, and everything that only reads works with it."""
        bench = _bench(stage)
        token = _exchange(stage, bench)
        demand(isinstance(token, Token), f"exchange_code gave {shown(token)}")
        demand(token.access_expires_at > stage.outside.now(), f"the token ended at {token.access_expires_at} already")
        bench.authorisation.adopt(token)
        _opens(stage, bench)

    @needs("exchange_code", deeds=["consent_settings", "consent"])
    def test_a_used_code_raises_authorization_error(self, stage: Stage) -> None:
        """A code works once, and a made-up one never; a person has to consent again."""
        bench = _bench(stage)
        code = stage.outside.consent(STATE, BACK)
        bench.hooks.exchange_code(code=code, redirect_url=BACK)
        for used in (code, "kit-code-of-nobody"):
            again = stage.attempt(partial(bench.hooks.exchange_code, code=used, redirect_url=BACK))
            demand(isinstance(again, AuthorizationError), f"a code that does not work any more gave {shown(again)}")

    @needs("exchange_code", deeds=["consent_settings", "consent"])
    def test_no_code_or_token_appears_in_errors_or_logs(self, stage: Stage) -> None:
        """Whoever reads a log could use them."""
        bench = _bench(stage)
        secrets = []
        for kind in (None, Kind.ECHO, Kind.AWAY, Kind.GARBAGE, Kind.CUT_BODY):
            code = stage.outside.consent(STATE, BACK)
            secrets.append(code)
            if kind is not None:
                stage.channel.fail(kind)
            result = stage.attempt(partial(bench.hooks.exchange_code, code=code, redirect_url=BACK))
            stage.channel.heal()
            if isinstance(result, Token):
                secrets += [result.access_token, result.refresh_token]
        demand(stage.errors, "no fault led to an error, so there is nothing to check")
        said = "\n".join([repr(bench.log.lines), repr(bench.traced), *map(told, stage.errors)])
        demand(not any(secret in said for secret in secrets), "a code or a token appears in an error or a log line")

    @needs("exchange_code", "refresh_token", deeds=["consent_settings", "consent"])
    def test_a_refreshed_token_opens_the_account(self, stage: Stage) -> None:
        """The new pair takes the place of the old one, both of its halves."""
        bench = _bench(stage)
        first = _exchange(stage, bench)
        stage.outside.pass_time(60)
        second = bench.hooks.refresh_token(token=first)
        demand(second.access_token != first.access_token, "the refreshed access token is the old one")
        demand(second.access_expires_at > stage.outside.now(), f"it ended at {second.access_expires_at} already")
        bench.authorisation.adopt(second)
        _opens(stage, bench)
        third = bench.hooks.refresh_token(token=second)
        demand(isinstance(third, Token), f"the refresh token of a refreshed pair gave {shown(third)}")

    @needs("list_accounts")
    def test_accounts_have_refs_and_names_of_their_own(self, stage: Stage) -> None:
        """A person chooses by name which shop a Connection is for."""
        accounts = stage.bench().hooks.list_accounts()
        demand(accounts, "the tokens of a healthy system reach no account")
        refs = [account.ref for account in accounts]
        demand(len(set(refs)) == len(refs), f"two accounts share a ref: {sorted(refs)}")
        demand(all(account.name.strip() for account in accounts), "an account has no name")


def _bench(stage: Stage) -> Bench:
    return stage.bench(settings=stage.outside.consent_settings(stage.channel.url))


def _exchange(stage: Stage, bench: Bench) -> Token:
    token: Token = bench.hooks.exchange_code(code=stage.outside.consent(STATE, BACK), redirect_url=BACK)
    return token


def _opens(stage: Stage, bench: Bench) -> None:
    simple = {name for name in ("check_connection", "list_locations", "list_accounts") if name in stage.hooks}
    demand(simple, "no hook reads anything, so nothing shows that a token works")
    for name in sorted(simple):
        result = stage.attempt(getattr(bench.hooks, name))
        demand(isinstance(result, list), f"{name} with the new token gave {shown(result)}")
