"""The gateway: every check before a call reaches its endpoint, in the order of T-33."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from tiktok_simulator.shops import Shop
from tiktok_simulator.sign import is_signed
from tiktok_simulator.tokens import PARAMETER_BAD, Pair
from tiktok_simulator.wire import ApiError, Json, Request
from tiktok_simulator.world import World

PATH_UNKNOWN = 36009009
METHOD_WRONG = 36009010
BODY_WRONG = 36009022
SIGN_WRONG = 106001
SCOPE_MISSING = 105005
CIPHER_MISSING = 106013
CIPHER_FOREIGN = 106011
PAST_S, AHEAD_S = 300, 30


@dataclass(frozen=True, slots=True)
class Call:
    """A call that passed the gateway: the shop it speaks for (none at seller level), path values, query, body."""

    request: Request
    shop: Shop | None
    values: dict[str, str]
    body: Any
    pair: Pair

    @property
    def of_shop(self) -> Shop:
        """The shop of a shop-level call."""
        if self.shop is None:
            raise ApiError(CIPHER_MISSING, "`shop_cipher` is required")
        return self.shop


Answer = Callable[[World, Call], "Json | bytes"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call: how it is reached, what it needs, who answers. `cipher` is required, forbidden or optional."""

    method: str
    template: str
    scope: str
    answer: Answer
    cipher: str = "required"

    def match(self, path: str) -> re.Match[str] | None:
        """The path's values if it is this endpoint's."""
        return _pattern(self.template).fullmatch(path)

    def is_another_version(self, path: str) -> bool:
        """Whether a path differs from this endpoint's in the date of its version only."""
        any_version = re.sub(r"/2\d{5}/", "/2[0-9]{5}/", _pattern(self.template).pattern)
        return re.fullmatch(any_version, path) is not None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))


@dataclass(frozen=True, slots=True)
class Target:
    """What a path leads to: an endpoint, whether its method fits, and the values in the path."""

    endpoint: Endpoint
    method_fits: bool
    values: dict[str, str]


class Gateway:
    """Finds the endpoint of a request and checks the request for it."""

    def __init__(self, world: World, endpoints: list[Endpoint]) -> None:
        self._world = world
        self._endpoints = endpoints

    def find(self, request: Request) -> Target | None:
        """The endpoint of a path; one with another method where none fits, so that the method can be refused."""
        found = [(e, m) for e in self._endpoints if (m := e.match(request.path))]
        fitting = [(e, m) for e, m in found if e.method == request.method]
        for endpoint, match in fitting or found:
            return Target(endpoint, bool(fitting), match.groupdict())
        return None

    def admit(self, request: Request, target: Target | None) -> Call:
        """Check a request step by step; the first fault decides the answer."""
        if target is None:
            raise self._unknown_path(request)
        self._check_app_key(request)
        self._check_timestamp(request)
        self._check_signature(request)
        pair = self._world.tokens.check(request.headers.get("x-tts-access-token", ""))
        self._check_scope(pair, target.endpoint)
        shop = self._shop(request, target.endpoint)
        self._world.limits.count(
            f"{target.endpoint.method} {target.endpoint.template}", request.query["app_key"], shop.id if shop else ""
        )
        if not target.method_fits:
            raise ApiError(METHOD_WRONG, f"HTTP method {request.method} is not allowed here")
        return Call(request, shop, target.values, self._body(request), pair)

    def _unknown_path(self, request: Request) -> ApiError:
        """404 even before the key is looked at (T-32); a known path of another version says so (T-35)."""
        if any(endpoint.is_another_version(request.path) for endpoint in self._endpoints):
            code = int(self._world.options["version_code"])
            return ApiError(code, "Invalid API version: it is retired or unknown")
        return ApiError(PATH_UNKNOWN, f"Invalid path {request.path}", 404)

    def _check_app_key(self, request: Request) -> None:
        if request.query.get("app_key") != self._world.options["app_key"]:
            raise ApiError(PARAMETER_BAD, "Invalid `app_key`, it is unknown, malformed or disabled", 400)

    def _check_timestamp(self, request: Request) -> None:
        """T-23, on the simulated clock."""
        status = int(self._world.options["timestamp_http_status"])
        given, now = request.query.get("timestamp", ""), self._world.clock.now()
        if not given.isdigit():
            raise ApiError(PARAMETER_BAD, "Invalid timestamp, it must be Unix seconds and not below 0", status)
        if int(given) < int(now) - PAST_S:
            raise ApiError(PARAMETER_BAD, "Invalid timestamp, it is older than 5 minutes", status)
        if int(given) > int(now) + AHEAD_S:
            raise ApiError(PARAMETER_BAD, "Invalid timestamp, it is more than 30 seconds ahead", status)

    def _check_signature(self, request: Request) -> None:
        options = self._world.options
        if request.repeated:  # T-28
            raise ApiError(PARAMETER_BAD, f"invalid param error: repeated query names {', '.join(request.repeated)}")
        if not request.query.get("sign"):
            raise ApiError(PARAMETER_BAD, "The required signature `sign` is missing", int(options["sign_http_status"]))
        fits = is_signed(
            options["app_secret"],
            request.path,
            request.query,
            request.body,
            request.media_type,
            empty_body=options["empty_body_sign"],
        )
        if not fits:
            raise ApiError(SIGN_WRONG, "Invalid signature, `sign` does not fit", int(options["sign_http_status"]))

    def _check_scope(self, pair: Pair, endpoint: Endpoint) -> None:
        if endpoint.scope not in pair.scopes:  # T-16, T-17
            status = int(self._world.options["scope_http_status"])
            raise ApiError(SCOPE_MISSING, f"Access denied, the scope {endpoint.scope} is missing", status)

    def _shop(self, request: Request, endpoint: Endpoint) -> Shop | None:
        """The shop a cipher stands for (T-20), or none where a cipher must not be sent (T-21)."""
        status = int(self._world.options["cipher_http_status"])
        cipher = request.query.get("shop_cipher")
        if endpoint.cipher == "forbidden":
            if cipher is not None:
                raise ApiError(PARAMETER_BAD, "Unexpected identifier, `shop_cipher` is not required", status)
            return None
        if not cipher:
            if endpoint.cipher == "optional":
                return self._world.shops.authorised[0]
            raise ApiError(CIPHER_MISSING, "`shop_cipher` is required", status)
        for shop in self._world.shops.authorised:
            if shop.cipher == cipher:
                return shop
        raise ApiError(CIPHER_FOREIGN, "`shop_cipher` does not belong to this access token", status)

    def _body(self, request: Request) -> Any:
        """The JSON body; T-34."""
        always = self._world.options["content_type"] == "always"
        wrong_type = request.media_type not in ("application/json", "multipart/form-data")
        if wrong_type and (request.body or always):
            raise ApiError(BODY_WRONG, "content-type must be application/json or multipart/form-data")
        if not request.body or request.media_type == "multipart/form-data":
            return {}
        body = request.parsed()
        if not isinstance(body, dict):
            raise ApiError(BODY_WRONG, "The body is not a JSON object")
        return body
