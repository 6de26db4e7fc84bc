"""The login host of partner apps: the consent page and the token endpoint (fact sheet 1.1).

The sheet names the parameters and the rotation; the error answers follow the OAuth standard, which nobody has compared
with the real login host.
"""

from __future__ import annotations

import hmac
import html
from urllib.parse import parse_qsl, urlencode, urlsplit

from katana_simulator.exchange import Answer, Request, not_found
from katana_simulator.world import World

AUTHORIZE, TOKEN = "/authorize", "/oauth/token"
PATHS = (AUTHORIZE, TOKEN)
SCOPE, AUDIENCE = "offline_access", "https://api.katanamrp.com"
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Authorize</title>
<h1>Simulated Katana login</h1><p>The app {client} asks for access to the simulated account.</p>
<form method="post" action="{action}"><button name="decision" value="accept">Accept</button>
<button name="decision" value="decline">Decline</button></form></html>"""
_FORM = "application/x-www-form-urlencoded"


def answer(world: World, request: Request) -> Answer:
    """Answer a call of the login host, which knows no keys and no quota."""
    if (request.method, request.path) == ("POST", TOKEN):
        return _token(world, request)
    if request.path == AUTHORIZE and request.method in ("GET", "POST"):
        return _authorize(world, request)
    raise not_found()


def _authorize(world: World, request: Request) -> Answer:
    query = {name: values[-1] for name, values in request.query.items()}
    if query.get("client_id") != world.options["oauth_client_id"]:
        return _page("<h1>Unknown client_id</h1>", 400)
    target = query.get("redirect_uri", "")
    if not _is_allowed(world, target):
        return _page("<h1>redirect_uri is missing or not allowed</h1>", 400)
    wrong = _wrong_request(query)
    if wrong is not None:
        return _redirect(target, query, wrong)
    if request.method == "GET":
        # The parameters ride along in the form's own address, so that the page keeps no state.
        action = html.escape(f"{AUTHORIZE}?{request.query_text}")
        return _page(_PAGE.format(client=html.escape(query["client_id"]), action=action), 200)
    request.body = _form(request)
    if request.body.get("decision") != "accept":
        description = "User did not authorize the request"
        return _redirect(target, query, {"error": "access_denied", "error_description": description})
    found = _redirect(target, query, {"code": world.tokens.consent(target)})
    found.wrote = True
    return found


def _wrong_request(query: dict[str, str]) -> dict[str, str] | None:
    if query.get("response_type") != "code":
        return {"error": "unsupported_response_type", "error_description": "response_type must be code"}
    if SCOPE not in query.get("scope", "").split():
        return {"error": "invalid_scope", "error_description": f"scope must hold {SCOPE}"}
    if query.get("audience") != AUDIENCE:
        return {"error": "invalid_request", "error_description": f"audience must be {AUDIENCE}"}
    return None


def _token(world: World, request: Request) -> Answer:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return _refuse(400, "invalid_request", f"send {_FORM}")
    form = request.body = _form(request)
    options = world.options
    secret_fits = hmac.compare_digest(form.get("client_secret", "").encode(), options["oauth_client_secret"].encode())
    if form.get("client_id") != options["oauth_client_id"] or not secret_fits:
        return _refuse(401, "invalid_client", "client_id or client_secret is wrong")
    if form.get("grant_type") == "authorization_code":
        pair = world.tokens.exchange(form.get("code", ""), form.get("redirect_uri", ""))
    elif form.get("grant_type") == "refresh_token":
        pair = world.tokens.rotate(form.get("refresh_token", ""))
    else:
        return _refuse(400, "unsupported_grant_type", "grant_type must be authorization_code or refresh_token")
    if pair is None:
        status = int(options["oauth_grant_error_status"])
        return _refuse(status, "invalid_grant", "unknown, used or expired")
    lasts = options["access_token_s"]
    body = {"access_token": pair[0], "refresh_token": pair[1], "token_type": "Bearer", "scope": SCOPE}
    return Answer(200, body | ({} if lasts == "off" else {"expires_in": int(float(lasts))}), wrote=True)


def _is_allowed(world: World, target: str) -> bool:
    """The one address the switch names; without one, any on https or loopback."""
    wanted, parts = world.options["oauth_redirect_uri"], urlsplit(target)
    if wanted:
        return target == wanted
    is_loopback = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    is_plain = target.isascii() and target.isprintable()
    return is_plain and bool(parts.netloc) and (parts.scheme == "https" or is_loopback)


def _redirect(target: str, query: dict[str, str], outcome: dict[str, str]) -> Answer:
    carried = outcome | ({"state": query["state"]} if "state" in query else {})
    joint = "&" if urlsplit(target).query else "?"
    return Answer(302, None, {"Location": f"{target}{joint}{urlencode(carried)}"})


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.raw_body.decode("utf-8", "replace"), keep_blank_values=True))


def _page(text: str, status: int) -> Answer:
    return Answer(status, None, {"Content-Type": "text/html; charset=utf-8"}, raw=text.encode())


def _refuse(status: int, error: str, description: str) -> Answer:
    return Answer(status, {"error": error, "error_description": description})
