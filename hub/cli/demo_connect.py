"""The demo's consent: the page in a scripted browser, the answer on loopback, and who is refused (M8)."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

import httpx

from hub.cli.demo_proof import Promise, named, otherwise
from hub.cli.demo_stage import Stage
from hub.contract import AuthorizationError
from hub.engine import online
from hub.engine.connect import adopt, consent_page, reach_of
from hub.engine.world import Connected, World
from hub.host.callback import Answers, Callback, accepted_code, new_state

WAIT_S = 60.0
_FORM = re.compile(r'<form method="post" action="([^"]+)"')
_BUTTON = re.compile(r'<button name="(\w+)" value="(\w+)"')


def connecting(stage: Stage, world: World, shop: str) -> Promise:
    """Consent as staff, as another kind of user, and as the owner."""
    connected = world.connected[shop]
    answers = {account: _refusal(stage, world, connected, account) for account in ("staff", "other", "owner")}
    reach, until = reach_of(world, connected), connected.authorisation.expires_at()
    examined = online.examine(world)
    keyed = next((each.findings[0].what for each in examined if each.connection != shop and each.findings), "")
    closed = [each.connection for each in examined if each.error is not None]
    shops = [account.ref for account in reach.accounts] if reach.ok else []
    return consented(
        answers, _cause(connected), shops, "no end" if until is None else f"{until:%Y-%m-%d}", keyed, closed
    )


def consented(
    answers: Mapping[str, AuthorizationError | None], cause: str, shops: Sequence[str], until: str, keyed: str,
    closed: Sequence[str],
) -> Promise:  # fmt: skip
    """M8: staff and other users are refused, with the likely cause, and the owner is not.

    Args:
        answers: by who consented, the refusal; None: it was taken.
        cause: the words that name the likely cause.
        shops, until: what the owner's consent reaches, and how long.
        keyed: what the ERP says of itself, opened by its key.
        closed: the Connections that could not be opened.
    """
    refused = {who: error for who, error in answers.items() if who != "owner" and error is not None}
    silent = [who for who, error in refused.items() if cause not in error.do]
    said = ", ".join(f"{who} ({error.code})" for who, error in refused.items())
    owner = answers.get("owner")
    return Promise(
        "M8",
        "connecting means consent of the shop's owner, and a key for the ERP",
        f"refused on the page of consent, with the likely cause: {said}; the owner's consent reaches shop "
        f"{', '.join(shops) or 'none'} until {until}; {keyed or 'no key opens the ERP'}",
        {"refused": {who: error.code for who, error in refused.items()}, "reaches": list(shops), "key": keyed},
        [
            *named(answers.keys() - refused.keys() - {"owner"}, "consented, and it was taken"),
            *otherwise(cause, "nothing is said before consent"),
            *named(silent, "was refused without the likely cause"),
            *([] if owner is None else [f"the owner's consent failed: {owner.what}"]),
            *otherwise(shops, "the owner's consent reaches no shop"),
            *named(closed, "is not opened"),
        ],
    )


def _cause(connected: Connected) -> str:
    """Return the words by which the connector names the likely cause, before consent and after a refusal."""
    return re.split(r"[,.;:]", connected.consent_note)[0]


def _refusal(stage: Stage, world: World, connected: Connected, account: str) -> AuthorizationError | None:
    """Consent as somebody; return why it was refused, or None where it was taken."""
    answers, state = Answers(), new_state()
    with Callback(0, answers) as callback:
        stage.channel.do("consent", redirect=callback.url, account=account)
        page = consent_page(world, connected, state, callback.url)
        if page is None:
            return AuthorizationError("consent-not-used", "there is no page of consent", where=connected.id, do="")
        _press(page)
        answer = answers.wait(WAIT_S)
        if answer is None:
            return AuthorizationError("consent-missing", "no answer came", where=connected.id, do="")
        try:
            code = accepted_code(answer, state, where=connected.id, cause=connected.consent_note, stateless=bool)
            adopt(world, connected, code, callback.url)
        except AuthorizationError as error:
            return error
        finally:
            stage.channel.do("consent", redirect=callback.url, account="owner")
    return None


def _press(page: str) -> None:
    """Open a page, press the first button of its form, and go where it leads, as a browser does."""
    with httpx.Client(timeout=WAIT_S, trust_env=False) as http:
        text = http.get(page).text
        (action,), (name, value) = _FORM.findall(text)[:1], _BUTTON.findall(text)[0]
        led = http.post(httpx.URL(page).join(html.unescape(action)), data={name: value})
        http.get(led.headers["location"])
