"""The refusals of fulfilment calls and their texts (4.2)."""

from __future__ import annotations

from tiktok_simulator.wire import ApiError

TEXTS = {
    10007014: "The package failed in this batch",
    11021009: "No shipping service takes this weight or address",
    11034002: "Labels are for TikTok shipping only",
    11034037: "The shipping document is not ready, ask again later",
    21001001: "Invalid parameter",
    21004012: "The tracking number holds special characters",
    21004015: "The tracking number does not fit the shipping provider",
    21008025: "The order is fulfilled by TikTok, the seller may not act",
    21008042: "The label was bought already",
    21008099: "The package was shipped already",
    21008106: "This API does not support the region or business type of the seller",
    21008111: "The order or package does not belong to this seller",
    21011004: "The package is not shipped by the seller",
    21011005: "Invalid parameter",
    21011006: "The order was shipped already",
    21011007: "An item has an open cancellation request, decide it first",
    21011020: "An item was shipped already",
    21011022: "The tracking number or the shipping provider id is invalid",
    21011025: "Duplicate tracking number",
    21011027: "The order was delivered already",
    21011028: "The package is not in this shop",
    21011029: "An item is not part of this order or package",
    21011030: "The state does not allow this change",
    21011035: "The order may not be split",
    21011036: "Units of one SKU may not be split over several packages",
    21011037: "The shipping service is not valid",
    21011040: "The package was shipped already",
    21011041: "The order was cancelled",
    21011043: "The package is not shipped yet",
    21011044: "The order is on hold, ship it once it is AWAITING_SHIPMENT",
    21011048: "Several packages are possible, pass order_line_item_ids",
    21011049: "The update is refused: the order has several packages",
    21011050: "The time to change the tracking number is over",
    21011051: "The tracking number may be changed only once",
    21011053: "The pick-up slot is not on offer",
    21011054: "Pick-up needs a slot",
    21022025: "The label was bought already",
    21023035: "The shipping document is not ready, ask again later",
    21023046: "The package was picked up, there is no label any more",
    21030005: "The label is in progress",
    21034012: "The tracking number is on too many orders",
    21042056: "The package was shipped already",
    21042057: "The order is not in Awaiting Shipment",
    21042104: "The shipment is not arranged yet, ask again later",
}


def refusal(code: int, more: str = "") -> ApiError:
    """A refusal to raise."""
    return ApiError(code, TEXTS[code] + (f": {more}" if more else ""))
