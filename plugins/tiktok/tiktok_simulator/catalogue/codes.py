"""The refusals of product calls and their texts (4.3)."""

from __future__ import annotations

from tiktok_simulator.wire import ApiError, Json

TEXTS = {
    12019008: "The product is unknown",
    12019015: "Too many SKUs",
    12019022: "The SKU has no such warehouse",
    12019028: "The SKU has several warehouses, send all of them",
    12019087: "Too many SKU ids",
    12019116: "The image is not valid",
    12019120: "Too many product ids",
    12038002: "The image file is too large",
    12038004: "The image type is not supported",
    12038005: "The image dimensions are out of range",
    12052012: "The price format is not valid",
    12052023: "The category is unknown",
    12052036: "The SKU id is missing",
    12052037: "The stock is not editable: wrong or missing warehouse ids",
    12052038: "The price is locked by a promotion",
    12052048: "The product is not this shop's",
    12052055: "The quantity is outside the limits",
    12052073: "The price is outside the range of this market",
    12052084: "The currency does not fit the shop",
    12052092: "The sale_price is missing",
    12052093: "The daily listing limit is reached",
    12052097: "The warehouse is unknown",
    12052144: "The stock is kept in a platform warehouse",
    12052217: "The category version does not fit the region",
    12052230: "The category is not a leaf",
    12052260: "The product is unknown",
    12052393: "The SKU is in a promotion, its stock may not go below the present value",
    12052530: "The warehouse is not this shop's",
    12052531: "The warehouse is disabled",
    12052532: "The warehouse does not ship",
    12052533: "The warehouses of a SKU may not be added, removed or changed here",
    12052553: "A SKU is given twice",
    12052556: "The SKU is unknown",
    12052557: "The SKU belongs to another product",
    12052547: "There is no version under review",
    12052850: "The stock of a bundle follows from its parts",
    12052901: "The status of the product does not allow this",
    12052902: "The list of SKUs is empty",
    12052990: "The check failed",
}


def refusal(code: int, more: str = "") -> ApiError:
    """A refusal to raise."""
    return ApiError(code, text_of(code) + (f": {more}" if more else ""))


def text_of(code: int) -> str:
    """The text of a code."""
    return TEXTS[code]


def failed(detail: Json) -> Json:
    """One entry of `data.errors` (3.3)."""
    return {"code": 12052990, "message": TEXTS[12052990], "detail": detail}
