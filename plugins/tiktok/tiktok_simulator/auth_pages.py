"""The token host and the consent page: unsigned calls that lead to tokens."""

from __future__ import annotations

import html
from urllib.parse import parse_qsl, urlencode

from tiktok_simulator.options import Options
from tiktok_simulator.shops import Shops
from tiktok_simulator.tokens import PARAMETER_BAD, Pair, Tokens
from tiktok_simulator.wire import ApiError, Json, Reply, Request, json_reply, text_reply

EXCHANGE = "/api/v2/token/get"
RENEWAL = "/api/v2/token/refresh"
CONSENT = "/open/authorize"

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Authorise</title>
<h1>Simulated seller consent</h1><p>Service {service} asks for access to the shops of the simulated seller.</p>
<form method="post" action="{action}"><button name="decision" value="authorise">Authorise</button>
<button name="decision" value="refuse">Refuse</button></form></html>"""


class AuthPages:
    """Answers the token host and the consent page."""

    def __init__(self, options: Options, tokens: Tokens, shops: Shops) -> None:
        self._options = options
        self._tokens = tokens
        self._shops = shops

    def owns(self, path: str) -> bool:
        """Whether a path belongs to the token host or the consent page."""
        return path in (EXCHANGE, RENEWAL, CONSENT)

    def answer(self, request: Request, request_id: str) -> Reply:
        """The answer to a call of the token host or the consent page."""
        if request.path == CONSENT:
            return self._consent(request)
        if request.method != "GET":
            return text_reply("404 page not found", 404)  # T-09
        try:
            pair = self._pair(request)
        except ApiError as error:
            # Refusals of this host come with HTTP 200 (T-15).
            return json_reply({"code": error.code, "message": error.message, "request_id": request_id, "data": None})
        return json_reply(
            {"code": 0, "message": self._options["token_message"], "request_id": request_id, "data": self._data(pair)}
        )

    def _pair(self, request: Request) -> Pair:
        query = request.query
        grant = "authorized_code" if request.path == EXCHANGE else "refresh_token"
        if query.get("app_key") != self._options["app_key"]:
            raise ApiError(PARAMETER_BAD, "Invalid `app_key`")
        if query.get("app_secret") != self._options["app_secret"]:
            raise ApiError(PARAMETER_BAD, "Invalid `app_secret`")
        if query.get("grant_type") != grant:
            raise ApiError(PARAMETER_BAD, f"Invalid `grant_type`, expected {grant}")
        if request.path == EXCHANGE:
            return self._tokens.exchange(query.get("auth_code", ""))
        return self._tokens.refresh(query.get("refresh_token", ""))

    def _data(self, pair: Pair) -> Json:
        return {
            "access_token": pair.access,
            "access_token_expire_in": pair.access_ends,
            "refresh_token": pair.refresh,
            "refresh_token_expire_in": pair.refresh_ends,
            "open_id": "7010736057180000001",
            "seller_name": "Simulated Seller",
            "seller_base_region": self._shops.first.region,
            "user_type": pair.user_type,  # T-11
            "granted_scopes": list(pair.scopes),
        }

    def _consent(self, request: Request) -> Reply:
        if not request.query.get("service_id"):
            return text_reply("service_id is missing", 400)
        if request.method != "POST":
            # The parameters ride along in the form's own address, so that the page keeps no state.
            action = html.escape(f"{CONSENT}?{request.raw_query}")
            page = PAGE.format(service=html.escape(request.query["service_id"]), action=action)
            return text_reply(page, 200, "text/html; charset=utf-8")
        decision = dict(parse_qsl(request.body.decode())).get("decision")
        outcome = self.decide(decision == "authorise", request.query.get("state"))
        target = self._options["redirect_url"]
        if not target:
            return text_reply(f"No redirect_url is set. The redirect would carry: {urlencode(outcome)}", 200)
        joint = "&" if "?" in target else "?"
        return Reply(302, b"", "text/plain", {"Location": f"{target}{joint}{urlencode(outcome)}"})

    def decide(self, authorised: bool, state: str | None) -> dict[str, str]:
        """What the redirect carries after the seller's decision (T-05, T-06); no state when none was given."""
        if not authorised:
            return {"code": "null", "error": "auth_denied"} | ({"state": state} if state else {})
        outcome = {"code": self._tokens.consent()} | ({"state": state} if state else {})
        if self._options["consent_extra"] == "yes":
            outcome |= {"app_key": self._options["app_key"], "locale": "en", "shop_region": self._shops.first.region}
        return outcome
