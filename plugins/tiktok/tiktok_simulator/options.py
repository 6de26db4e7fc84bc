"""The switches: one per fact we are not sure of, and a few for the conditions of a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class OptionError(ValueError):
    """A switch that does not exist, or a position it does not have."""


@dataclass(frozen=True, slots=True)
class Option:
    """A switch: its first position, the others, and the fact it plays."""

    default: str
    allowed: tuple[str, ...]
    fact: str


NUMBER = ("<number>",)
NUMBER_OR_OFF = ("off", "<number>")
TEXT = ("<text>",)
NO_YES = ("no", "yes")
ON_OFF, OFF_ON = ("on", "off"), ("off", "on")
PROBABILITY = ("<0 to 1>",)

OPTIONS: dict[str, Option] = {
    # who we are
    "app_key": Option("6simapp1key", TEXT, "T-22"),
    "app_secret": Option("5imulated5ecret0f1e2d3c4b5a69788796a5b4c3d2", TEXT, "T-24"),
    "redirect_url": Option("", TEXT, "T-04"),
    # consent and tokens
    "service_id": Option("", TEXT, "T-04"),
    "app_name": Option("Channel Hub", TEXT, "§2.1"),
    "seller_name": Option("Simulated Seller", TEXT, "§2.1"),
    "logged_in": Option("main", ("main", "sub", "sub_denied"), "T-08"),
    "consent_state": Option("kept", ("kept", "left_out"), "T-05"),
    "consent_extra": Option("no", NO_YES, "T-05"),
    "code_life_s": Option("1800", NUMBER, "T-07"),
    "token_life_s": Option("604800", NUMBER, "T-10"),
    "refresh_life_s": Option("31536000", NUMBER, "T-10"),
    "user_type": Option("0", ("0", "1", "3"), "T-11"),
    "token_message": Option("success", TEXT, "T-11"),
    "granted_scopes": Option("all", TEXT, "T-16"),
    "refresh_extends": Option("no", NO_YES, "T-10"),
    "rotation": Option("dies", ("dies", "survives"), "T-13"),
    "access_after_refresh": Option("lives", ("lives", "dies"), "T-14"),
    "revoked_code": Option("105001", ("105001", "105002", "105003", "101000"), "T-18"),
    # gateway
    "empty_body_sign": Option("both", ("both", "signed", "unsigned"), "T-27"),
    "scope_http_status": Option("403", ("403", "200"), "T-16"),
    "cipher_http_status": Option("200", ("200", "400", "403"), "T-20"),
    "timestamp_http_status": Option("400", ("400", "200", "401"), "T-23"),
    "sign_http_status": Option("401", ("401", "200"), "T-29"),
    "token_http_status": Option("401", ("401", "200"), "T-36"),
    "parameter_http_status": Option("200", ("200", "400"), "T-31"),
    "error_data": Option("null", ("null", "empty", "missing"), "T-30"),
    "version_code": Option("36009014", ("36009014", "36009004"), "T-35"),
    "content_type": Option("bodies", ("bodies", "always"), "T-34"),
    "rate_limit": Option("50", NUMBER_OR_OFF, "T-40"),
    "hourly_limit": Option("off", NUMBER_OR_OFF, "T-41"),
    "latency_ms": Option("0", NUMBER, "none"),
    # search and detail
    "last_page": Option("empty", ("empty", "missing"), "T-47"),
    "window_limit_days": Option("off", NUMBER_OR_OFF, "T-48"),
    "list_delay_s": Option("0", NUMBER, "T-49"),
    "paging": Option("keyset", ("keyset", "offset"), "T-50"),
    "page_token_life_s": Option("off", NUMBER_OR_OFF, "T-51"),
    "detail_unknown_ids": Option("leave_out", ("leave_out", "error"), "T-53"),
    "fbt_warehouse_listed": Option("yes", ("yes", "no"), "T-77"),
    # the life of an order
    "unpaid_timeout_s": Option("86400", NUMBER, "T-57"),
    "hold_s": Option("3600", NUMBER, "T-58"),
    "cancel_request_s": Option("172800", NUMBER, "T-61"),
    "hold_line_status": Option("AWAITING_SHIPMENT", ("AWAITING_SHIPMENT", "ON_HOLD"), "T-56"),
    "edits_move_update_time": Option("no", NO_YES, "T-62"),
    "address_moves_update_time": Option("no", NO_YES, "§5.4"),
    "refund_s": Option("60", NUMBER, "§10"),
    "return_response_s": Option("172800", NUMBER, "§10"),
    "out_of_stock_empties": Option("no", NO_YES, "§10"),
    # stock
    "sell_below_zero": Option("no", NO_YES, "§8.4"),
    "stock_zero": Option("allowed", ("allowed", "refused"), "§8.4"),
    "stock_errors": Option("partial", ("partial", "call"), "§8.4"),
    "stock_moves_update_time": Option("no", NO_YES, "§8.3"),
    # products
    "search_result_limit": Option("10000", NUMBER, "§8.1"),
    "category_version": Option("v2", ("v2", "v1"), "§8.8"),
    "daily_listing_limit": Option("1000", NUMBER_OR_OFF, "§8.8"),
    "failing_prerequisites": Option("", TEXT, "§8.8"),
    "audit_s": Option("60", NUMBER, "§8.3"),
    "audit_outcome": Option("pass", ("pass", "fail"), "§8.3"),
    # shipping
    "already_shipped_code": Option("21011006", ("21011006", "21011020", "21042056", "21008099", "21011025"), "§6.2"),
    "unnamed_items": Option("when_clear", ("when_clear", "all", "never"), "§6.2"),
    "number_format": Option("loose", ("loose", "warn", "strict"), "§6.2"),
    "shared_numbers": Option("one_recipient", ("one_recipient", "any_recipient"), "§6.2"),
    "batch_ship_max": Option("50", NUMBER, "§6.3"),
    "batch_error_code": Option("10007014", ("10007014", "own"), "§6.3"),
    "tracking_update_s": Option("259200", NUMBER, "§6.6"),
    "split_groups": Option("all_named", ("all_named", "rest_stays"), "§6.6"),
    "label_delay_s": Option("5", NUMBER, "§6.5"),
    "label_not_ready_code": Option("21042104", ("21042104", "11034037", "21023035"), "§6.5"),
    "scan_after_s": Option("off", NUMBER_OR_OFF, "§5.3"),
    "deliver_after_s": Option("off", NUMBER_OR_OFF, "§5.3"),
    "complete_after_s": Option("off", NUMBER_OR_OFF, "§5.3"),
    "unscanned_cancel_s": Option("off", NUMBER_OR_OFF, "§5.3"),
    # webhooks
    "webhooks": Option("on", ON_OFF, "T-127"),
    "webhook_http": Option("off", OFF_ON, "T-125"),
    "webhook_app_url": Option("", TEXT, "T-124"),
    "webhook_unknown_topics": Option("", TEXT, "T-132"),
    "webhook_inventory": Option("off", OFF_ON, "T-129"),
    "webhook_401": Option("taken", ("taken", "resent"), "T-126"),
    "webhook_cancel_word": Option("CANCEL", ("CANCEL", "CANCELLED"), "T-89"),
    "webhook_duplicates": Option("0", PROBABILITY, "T-127"),
    "webhook_reorder": Option("off", OFF_ON, "T-127"),
    "webhook_delay_ms": Option("0", NUMBER, "T-127"),
    # what an order looks like
    "optional_fields": Option("full", ("full", "left_out", "null"), "T-43"),
    "junk_fields": Option("no", NO_YES, "T-44"),
    "unknown_status": Option("off", ("off", "<text>"), "T-44"),
    "cofunded_in_fee": Option("no", NO_YES, "T-66"),
    "pfand_in_total": Option("yes", ("yes", "no"), "T-67"),
    "gift_price": Option("zero", ("zero", "discounted"), "T-71"),
    "bundle_parts": Option("combined", ("combined", "sub_items", "both"), "T-72"),
    "district_levels": Option("with_county", ("with_county", "without_county"), "T-73"),
    "hold_address": Option("empty", ("empty", "masked", "left_out"), "T-74"),
    "masked_us_all": Option("no", ("no", "4pl", "yes"), "T-75"),
    "partial_cancel_payment": Option("kept", ("kept", "reduced"), "T-79"),
}


class Options:
    """The positions of all switches; `epoch` counts changes, so that what was rendered under old ones is dropped."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = {name: option.default for name, option in OPTIONS.items()}
        self.epoch = 0
        self.update(values or {})

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def number(self, name: str) -> int | None:
        """A numeric switch; None where it is off."""
        value = self._values[name]
        return None if value == "off" else int(value)

    def seconds(self, name: str) -> int:
        """A numeric switch that is never off."""
        return int(self._values[name])

    def update(self, values: Mapping[str, object]) -> None:
        """Move switches; all of them or, when one is wrong, none."""
        wanted = {name: _position(name, value) for name, value in values.items()}
        self._values.update(wanted)
        self.epoch += 1

    def as_dict(self) -> dict[str, str]:
        """Every switch with its position."""
        return dict(self._values)


def _position(name: str, value: object) -> str:
    option = OPTIONS.get(name)
    if option is None:
        raise OptionError(f"no option {name!r}; there are {', '.join(sorted(OPTIONS))}")
    text = {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    if text in option.allowed or "<text>" in option.allowed:
        return text
    if "<number>" in option.allowed and text.isdigit():
        return text
    if option.allowed is PROBABILITY and _is_probability(text):
        return text
    raise OptionError(f"option {name} cannot be {text!r}; it takes {', '.join(option.allowed)}")


def _is_probability(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False
