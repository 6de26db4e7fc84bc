"""The Katana client: limits, pages, and one class of error per kind of failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hub_katana.answers import decode, encode, read_listing, read_refusal
from hub_katana.auth import BearerAuth
from hub_katana.pace import read_pace
from pydantic import SecretStr, ValidationError
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from hub.contract import (
    AuthorizationError,
    Call,
    Pace,
    RejectedError,
    SalesOrder,
    TransientError,
)  # fmt: skip

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


def answer(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.Response(status, content=content, headers={name.replace("_", "-"): headers[name] for name in headers})


@pytest.mark.parametrize("factor", [1, 1000])
def test_reset_is_read_in_seconds_and_in_milliseconds(factor: int) -> None:
    """K-06: the unit is told by size."""
    reset = str(int(NOW.timestamp() + 17) * factor)
    said = answer(X_Ratelimit_Remaining="0", X_Ratelimit_Reset=reset)
    assert read_pace(said, NOW) == Pace(0, 17.0)


def test_retry_after_goes_before_the_reset() -> None:
    """K-06."""
    reset = str(int(NOW.timestamp() + 50))
    said = answer(429, X_Ratelimit_Remaining="3", X_Ratelimit_Reset=reset, Retry_After="15")
    assert read_pace(said, NOW) == Pace(0, 15.0)


def test_a_429_without_retry_after_waits_for_the_reset() -> None:
    """K-05."""
    said = answer(429, X_Ratelimit_Remaining="9", X_Ratelimit_Reset=str(int(NOW.timestamp() + 4)))
    assert read_pace(said, NOW) == Pace(0, 4.0)


@pytest.mark.parametrize(("ahead_s", "waits_s"), [(3600, 60.0), (-3600, 0.0)])
def test_clocks_that_run_apart_stop_the_connection_for_one_window_at_most(ahead_s: int, waits_s: float) -> None:
    """K-04: the window is 60 seconds."""
    said = answer(X_Ratelimit_Remaining="0", X_Ratelimit_Reset=str(int(NOW.timestamp() + ahead_s)))
    assert read_pace(said, NOW) == Pace(0, waits_s)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X_Ratelimit_Remaining": "9" * 400, "X_Ratelimit_Reset": "9" * 5000},
        {"X_Ratelimit_Remaining": "soon"},
        {"X_Ratelimit_Remaining": "5"},
    ],
)
def test_an_answer_without_limits_says_nothing_of_the_pace(headers: dict[str, str]) -> None:
    assert read_pace(answer(**headers), NOW) is None


def test_every_call_carries_budget_and_pace(katana: Any) -> None:
    """K-04 and K-05, read off the simulator's own headers."""
    katana.options(rate_limit="60")
    made = katana.bench(requests_per_minute=40)
    made.connector.find_variants(["MUG-BLUE"])
    assert made.http.paces[0].remaining == 59
    assert 0 < made.http.paces[0].resets_in_s <= 60


def test_two_connections_on_one_key_share_a_budget_that_does_not_say_the_key(
    odd: Callable[..., Any], httpserver: HTTPServer
) -> None:
    """K-04: several tools on one key share its quota."""
    httpserver.expect_request("/variants").respond_with_json({"data": []})
    budgets = []
    for key in ("key-one-of-them", "key-one-of-them", "another-key"):
        made = odd(httpserver.url_for(""), api_key=key, requests_per_minute=40)
        made.http.event_hooks["request"] = [lambda request: budgets.append(request.extensions["hub"].budget)]
        made.connector.find_variants(["A"])
    assert budgets[0] == budgets[1]
    assert budgets[0].key != budgets[2].key
    assert (budgets[0].calls, budgets[0].per_s) == (40, 61.0)
    assert "key-one-of-them" not in budgets[0].key


def test_a_write_is_marked_as_a_write_and_a_search_as_a_read(katana: Any, order: Callable[..., SalesOrder]) -> None:
    made = katana.bench()
    seen: list[tuple[str, Call]] = []
    made.http.event_hooks["request"] = [
        lambda request: seen.append((f"{request.method} {request.url.path}", request.extensions["hub"]))
    ]
    made.connector.push_order(order(), None)
    assert [name for name, call in seen if not call.reads] == ["POST /v1/customers", "POST /v1/sales_orders"]


def test_numbers_keep_all_their_digits_both_ways() -> None:
    """K-19: a price is a number in requests; a float would lose it."""
    price = Decimal("12.345678901234567890123")
    assert encode({"price": price}) == b'{"price": 12.345678901234567890123}'
    assert decode(answer(body=encode({"price": price}))) == {"price": price}


def test_page_headers_are_read_though_their_values_are_texts() -> None:
    """K-09."""
    said = answer(body={"data": [{"id": 1}]}, X_Pagination='{"total_records":"2319","total_pages":"47","page":"1"}')
    listing = read_listing(said, 1, 50)
    assert (listing.total_pages, listing.total_records, listing.is_last) == (47, 2319, False)
    assert read_listing(said, 47, 50).is_last


def test_without_page_headers_a_page_that_is_not_full_is_the_last() -> None:
    """K-09 says the header is always there; a proxy may drop it."""
    said = answer(body={"data": [{"id": 1}, {"id": 2}]})
    assert not read_listing(said, 1, 2).is_last
    assert read_listing(said, 1, 3).is_last


def test_no_page_is_asked_for_with_more_than_250_records(katana: Any, shop: Any) -> None:
    """K-08: more may be refused."""
    with pytest.raises(ValidationError):
        katana.bench(page_size=251)
    katana.options(over_limit="refuse")
    assert [variant.sku for variant in katana.bench().connector.find_variants(["MUG-BLUE"])] == ["MUG-BLUE"]


DETAIL = {
    "path": "/sales_order_rows/0/quantity",
    "code": "type",
    "message": "must be number",
    "info": {"type": "number"},
}
WRAPPED = {"error": {"statusCode": 422, "message": "Nope", "details": [DETAIL]}}


@pytest.mark.parametrize("body", [WRAPPED, WRAPPED["error"]])
@pytest.mark.parametrize("path", ["/sales_order_rows/0/quantity", ".sales_order_rows[0].quantity"])
def test_refusals_are_read_with_and_without_wrapper_and_in_both_styles_of_path(body: dict[str, Any], path: str) -> None:
    """K-11 and K-12."""
    text = json.dumps(body).replace("/sales_order_rows/0/quantity", path).encode()
    refusal = read_refusal(answer(422, text), ())
    assert refusal.text() == "Nope [/sales_order_rows/0/quantity must be number]"


def test_a_missing_property_is_named_even_where_only_the_info_names_it() -> None:
    """K-12."""
    detail = {"path": "", "code": "required", "message": "is required", "info": {"missingProperty": "name"}}
    refusal = read_refusal(answer(422, {"error": {"message": "Invalid", "details": [detail]}}), ())
    assert refusal.text() == "Invalid [/ is required (name)]"


@pytest.mark.parametrize("body", [b"<html>no</html>", b"[]", b'{"error": "plain words"}', b'{"details": 7}', b""])
def test_an_error_body_of_any_shape_is_survived(body: bytes) -> None:
    assert read_refusal(answer(400, body), ()).text()


def test_what_katana_repeats_of_the_buyer_is_blanked_out() -> None:
    said = answer(422, {"message": "ann example at Main St 1 is unknown, so is Annex"})
    assert read_refusal(said, ("Ann", "Example", "Main St 1")).text() == "[...] [...] at [...] is unknown, so is Annex"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_says_how_to_make_a_new_one(odd: Callable[..., Any], httpserver: HTTPServer, status: int) -> None:
    """K-01."""
    httpserver.expect_request("/variants").respond_with_json({"name": "UnauthorizedError"}, status=status)
    with pytest.raises(AuthorizationError, match=r"Settings > API > API keys"):
        odd(httpserver.url_for("")).connector.find_variants(["A"])


def test_a_key_revoked_at_any_time_is_an_authorization_error(katana: Any, shop: Any) -> None:
    """K-01: a user can revoke it."""
    made = katana.bench()
    made.connector.find_variants(["MUG-BLUE"])
    katana.options(key_revoked="yes")
    with pytest.raises(AuthorizationError):
        made.connector.find_variants(["MUG-BLUE"])


def test_a_429_on_a_read_is_transient_and_knows_how_long(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-05."""
    httpserver.expect_request("/variants").respond_with_json({}, status=429, headers={"Retry-After": "15"})
    with pytest.raises(TransientError) as caught:
        odd(httpserver.url_for("")).connector.find_variants(["A"])
    assert (caught.value.retry_after_s, caught.value.may_have_happened) == (15.0, False)


@pytest.mark.parametrize("status", [500, 503, 302, 408])
def test_a_server_that_is_away_is_transient_on_a_read(
    odd: Callable[..., Any], httpserver: HTTPServer, status: int
) -> None:
    """K-79."""
    httpserver.expect_request("/variants").respond_with_data("<html>", status=status)
    with pytest.raises(TransientError) as caught:
        odd(httpserver.url_for("")).connector.find_variants(["A"])
    assert not caught.value.may_have_happened


@pytest.mark.parametrize("body", ["<html>", '{"data": {}}', '{"data": [1]}', "7"])
def test_a_list_that_cannot_be_read_is_transient(odd: Callable[..., Any], httpserver: HTTPServer, body: str) -> None:
    httpserver.expect_request("/variants").respond_with_data(body)
    with pytest.raises(TransientError, match="answer-unreadable"):
        odd(httpserver.url_for("")).connector.find_variants(["A"])


def test_a_refused_read_carries_katanas_reason(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    httpserver.expect_request("/variants").respond_with_json({"error": {"message": "Bad Request"}}, status=400)
    with pytest.raises(RejectedError, match="Bad Request"):
        odd(httpserver.url_for("")).connector.find_variants(["A"])


def test_the_key_never_shows_even_where_katana_repeats_it(odd: Callable[..., Any], httpserver: HTTPServer) -> None:
    """K-01: the key reads and writes the whole account."""

    def repeat(request: Request) -> Response:
        return Response(json.dumps({"message": f"bad {request.headers['Authorization']}"}), status=400)

    httpserver.expect_request("/variants").respond_with_handler(repeat)
    made = odd(httpserver.url_for(""))
    with pytest.raises(RejectedError) as caught:
        made.connector.find_variants(["A"])
    assert "odd-secret-key" not in f"{caught.value!r}{caught.value}"
    assert "odd-secret-key" not in repr(vars(made.connector))


@pytest.mark.parametrize("key", ["", "  ", "abc\ndef", "schlüssel"])
def test_a_key_that_cannot_stand_in_a_header_is_refused_without_repeating_it(key: str) -> None:
    auth = BearerAuth(SecretStr(key), "katana-main")
    with pytest.raises(AuthorizationError) as caught:
        next(auth.auth_flow(httpx.Request("GET", "https://api.katanamrp.com")))
    assert not key.strip() or key not in str(caught.value)


def test_settings_explain_themselves_and_refuse_what_they_do_not_know(odd: Callable[..., Any]) -> None:
    with pytest.raises(ValidationError):
        odd("https://api.katanamrp.com/v1", api_kee="x")
    with pytest.raises(ValidationError):
        odd("http://api.katanamrp.com/v1")
    schema = type(odd("https://api.katanamrp.com/v1/").connector).settings_model.model_json_schema()
    assert all(entry["description"] and entry["examples"] for entry in schema["properties"].values())
