"""The token host and the consent page: unsigned calls that lead to tokens."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from tiktok_simulator.consent_page import consent_page
from tiktok_simulator.options import Options
from tiktok_simulator.shops import Shops
from tiktok_simulator.tokens import PARAMETER_BAD, Pair, Tokens
from tiktok_simulator.wire import ApiError, Json, Reply, Request, json_reply, text_reply

EXCHANGE = "/api/v2/token/get"
RENEWAL = "/api/v2/token/refresh"
CONSENT = "/open/authorize"


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
            "seller_name": self._options["seller_name"],
            "seller_base_region": self._shops.first.region,
            "user_type": pair.user_type,  # T-11
            "granted_scopes": list(pair.scopes),
        }

    def _consent(self, request: Request) -> Reply:
        if not request.query.get("service_id"):
            return text_reply("service_id is missing", 400)
        wanted = self._options["service_id"]
        if wanted and request.query["service_id"] != wanted:
            return text_reply("This service does not exist", 404)
        if request.method != "POST":
            return text_reply(self._page(request), 200, "text/html; charset=utf-8")
        form = dict(parse_qsl(request.body.decode()))
        state = None if self._options["consent_state"] == "left_out" else request.query.get("state")
        outcome = self.decide(form.get("decision") == "authorise", state, form.get("duration", ""))
        target = self._options["redirect_url"]
        if not target:
            return text_reply(f"No redirect_url is set. The redirect would carry: {urlencode(outcome)}", 200)
        joint = "&" if "?" in target else "?"
        return Reply(302, b"", "text/plain", {"Location": f"{target}{joint}{urlencode(outcome)}"})

    def _page(self, request: Request) -> str:
        # The parameters ride along in the form's own address, so that the page keeps no state.
        return consent_page(
            app=self._options["app_name"],
            service=request.query["service_id"],
            owner=self._options["seller_name"],
            shops=[f"{shop.name} ({shop.region})" for shop in self._shops.authorised],
            scopes=self._tokens.scopes(),
            account=self._options["logged_in"],
            action=f"{CONSENT}?{request.raw_query}",
        )

    def decide(self, authorised: bool, state: str | None, duration: str = "") -> dict[str, str]:
        """What the redirect carries after the seller's decision (T-05, T-06); no state when none was given.

        Only the main account can consent (T-08).
        """
        if not authorised or self._options["logged_in"] != "main":
            return {"code": "null", "error": "auth_denied"} | ({"state": state} if state else {})
        life_s = int(duration) * 86400 if duration.isdigit() else None
        outcome = {"code": self._tokens.consent(life_s)} | ({"state": state} if state else {})
        if self._options["consent_extra"] == "yes":
            outcome |= {"app_key": self._options["app_key"], "locale": "en", "shop_region": self._shops.first.region}
        return outcome
