"""The simulator's switches: their names, defaults and allowed values, each tied to a row of FACTS.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

API_KEY = "katana-sim-key"
CLIENT_ID = "katana-sim-client"
CLIENT_SECRET = "katana-sim-client-secret"  # noqa: S105  a made-up one


@dataclass(frozen=True, slots=True)
class Switch:
    """One option: its default, and the words it takes; `number` admits digits besides, `free` any text."""

    default: str
    words: tuple[str, ...] = ()
    number: bool = False
    free: bool = False

    def accepts(self, value: str) -> bool:
        return self.free or value in self.words or (self.number and _is_number(value))


SWITCHES: dict[str, Switch] = {
    "api_key": Switch(API_KEY, free=True),
    "key_revoked": Switch("no", ("no", "yes")),
    "oauth_client_id": Switch(CLIENT_ID, free=True),
    "oauth_client_secret": Switch(CLIENT_SECRET, free=True),
    "oauth_redirect_uri": Switch("", free=True),
    "oauth_code_s": Switch("600", number=True),
    "access_token_s": Switch("86400", ("off",), number=True),
    "refresh_token_s": Switch("off", ("off",), number=True),
    "replay_ends_access": Switch("no", ("no", "yes")),
    "oauth_grant_error_status": Switch("403", ("403", "400")),
    "rate_limit": Switch("60", ("off",), number=True),
    "rate_window": Switch("fixed", ("fixed", "sliding")),
    "ratelimit_reset_unit": Switch("ms", ("ms", "s")),
    "over_limit": Switch("clamp", ("clamp", "refuse")),
    "error_wrapper": Switch("wrapped", ("wrapped", "bare")),
    "delete_status": Switch("204", ("204", "200")),
    "most_filter_values": Switch("off", ("off",), number=True),
    "number_style": Switch("mixed", ("mixed", "strings")),
    "updated_at_min": Switch("inclusive", ("inclusive", "exclusive")),
    "order_no_match": Switch("exact", ("exact", "ignore_case")),
    "services_in_inventory": Switch("no", ("no", "yes")),
    "non_sellable_variant": Switch("refuse", ("refuse", "allow")),
    "archived_variant": Switch("refuse", ("refuse", "allow")),
    "duplicate_order_no": Switch("allow", ("allow", "refuse")),
    "default_tax": Switch("none", ("none", "default_rate")),
    "total_includes_shipping": Switch("no", ("no", "yes")),
    "source_case": Switch("upper", ("upper", "lower")),
    "inline_addresses": Switch("yes", ("yes", "no")),
    "search_shape": Switch("both", ("both", "nested", "flat", "none")),
    "patch_delivered": Switch("ignore", ("ignore", "deliver")),
    "invoiced_delete": Switch("412", ("412", "422", "allow")),
    "mixed_status": Switch("PACKED", ("PACKED", "PARTIALLY_DELIVERED")),
    "shipment_moves_order": Switch("yes", ("yes", "no")),
    "archive_moves_variants": Switch("no", ("no", "yes")),
    "order_picked_date": Switch("locked", ("locked", "copied")),
    "second_shipping_fee": Switch("refuse", ("refuse", "allow")),
    "over_fulfillment": Switch("refuse", ("refuse", "allow")),
    "batch_allocation": Switch("optional", ("optional", "required")),
    "return_restocks": Switch("restocked", ("restocked", "returned", "never")),
    "return_steps": Switch("any", ("any", "in_turn")),
    "return_dates": Switch("any", ("any", "instant", "date")),
    "refunded_word": Switch("REFUNDED", ("REFUNDED", "REFUNDED_ALL")),
    "fulfillment_timestamps": Switch("yes", ("yes", "no")),
    "tracking_edit_updates": Switch("yes", ("yes", "no")),
    "stale_inventory_s": Switch("0", number=True),
    "order_visibility_s": Switch("0", number=True),
    "webhooks": Switch("on", ("on", "off")),
    "webhook_http": Switch("off", ("off", "on")),
    "webhook_key_shown": Switch("yes", ("yes", "no")),
    "webhook_object_id": Switch("string", ("string", "number")),
    "webhook_inventory_object": Switch("variant_id", ("variant_id", "id")),
    "webhook_prefix": Switch("no", ("no", "yes")),
    "webhook_partial": Switch("updated", ("updated", "delivered")),
    "webhook_on_commit": Switch("no", ("no", "yes")),
    "webhook_duplicates": Switch("0", number=True),
    "webhook_reorder": Switch("0", number=True),
    "webhook_delay_s": Switch("0", number=True),
    "webhook_timeout_s": Switch("10", number=True),
    "webhook_room": Switch("10000", number=True),
    "latency_ms": Switch("0", number=True),
    "journal": Switch("on", ("on", "off")),
    "journal_size": Switch("50000", number=True),
}


class Options:
    """The current value of every switch; a value that does not fit is refused, and so is an unknown name."""

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self._values = {name: switch.default for name, switch in SWITCHES.items()}
        self.update(given or {})

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def update(self, given: Mapping[str, object]) -> None:
        """Set several switches, or none of them when one is wrong (ValueError says which)."""
        wanted = {name: _as_text(value) for name, value in given.items()}
        for name, value in wanted.items():
            if name not in SWITCHES:
                raise ValueError(f"unknown option {name}; known: {', '.join(SWITCHES)}")
            if not SWITCHES[name].accepts(value):
                number = ("a number",) if SWITCHES[name].number else ()
                raise ValueError(f"option {name} takes {' | '.join(SWITCHES[name].words + number)}, not {value}")
        self._values.update(wanted)

    def all(self) -> dict[str, str]:
        return dict(self._values)


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _is_number(value: str) -> bool:
    whole, _, part = value.partition(".")
    return whole.isdecimal() and (part == "" or part.isdecimal())
