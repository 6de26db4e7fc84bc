"""The refusals of cancellation and return calls and their texts (4.4)."""

from __future__ import annotations

from tiktok_simulator.wire import ApiError

TEXTS = {
    25001001: "Invalid parameter",
    25001011: "The return or cancellation is in process already",
    25001014: "The reason is unknown",
    25001021: "The reason is not for this order status",
    25001045: "The order was shipped, the courier cannot stop it",
    25001051: "The order was completed or cancelled",
    25005010: "These line items cannot be cancelled alone",
    25005011: "Too many line items",
    25007006: "The order was not found",
    25011011: "The state does not match",
    25011012: "The decision does not match",
    25011026: "The order is fulfilled by TikTok",
    25020003: "The record was not found",
    25020009: "It was cancelled already",
    25020010: "It was approved already",
}


def refusal(code: int, more: str = "") -> ApiError:
    """A refusal to raise."""
    return ApiError(code, TEXTS[code] + (f": {more}" if more else ""))
