"""TikTok Shop's error codes in a table: what each asks for, our slug of it, and what the operator should do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a code asks for."""

    RETRY = "R"
    ACCESS = "A"  # a token, a scope or a consent is missing
    SETUP = "C"
    REFUSED = "B"
    DONE = "D"  # a write that had already happened; to be verified by a read


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what a code asks for, our slug, and what the operator should do."""

    kind: Kind
    slug: str
    do: str
    retry_after_s: float | None = None


RECONSENT = "reconsent"  # stands for the words that name the consent link, known per connection only
BUSY = Row(Kind.RETRY, "channel-busy", "Nothing to do: it is tried again")
TOKEN = Row(Kind.ACCESS, "token-refused", RECONSENT)
CONSENT = Row(Kind.ACCESS, "consent-needed", RECONSENT)
SCOPE = Row(Kind.ACCESS, "scope-missing", "Add the scope to the app in Partner Center. Then: " + RECONSENT)
CIPHER = Row(Kind.SETUP, "shop-cipher-refused", "Check the setting shop: it must be a shop that this consent reaches")
UNWANTED = Row(Kind.SETUP, "shop-cipher-unwanted", "Report this: the connector sent a cipher where none is taken")
SECRET = Row(Kind.SETUP, "signature-refused", "Check the setting app_secret against Partner Center")
APP = Row(Kind.SETUP, "app-key-refused", "Check the setting app_key against Partner Center, and the app's region")
CLOCK = Row(Kind.SETUP, "clock-skew", "Set this machine's clock by a time service (NTP), then try again")
VERSION = Row(Kind.SETUP, "version-retired", "Update the connector; see also the setting order_detail_version")
PATH = Row(Kind.SETUP, "endpoint-unknown", "Check the settings api_url and auth_url; update the connector")
FORM = Row(Kind.SETUP, "request-malformed", "Report this with the request id: the connector sent a malformed request")
ADDRESS = Row(Kind.SETUP, "ip-not-allowed", "Add this machine's public address to the app's allow list")
SELLER = Row(Kind.SETUP, "seller-inactive", "Look in Seller Center why the shop may not sell")
REFUSED = Row(Kind.REFUSED, "request-refused", "Read TikTok's reason; its support can look the request id up")
UNREADABLE = Row(Kind.REFUSED, "order-unreadable", "Check that the order belongs to this shop")
TOO_WIDE = Row(Kind.REFUSED, "window-too-wide", "Nothing to do: the time window is cut")
DONE = Row(Kind.DONE, "already-done", "Read the order and compare")

# Shipping
CANCEL_REQUESTED = Row(Kind.REFUSED, "cancel-requested", "Accept or refuse the buyer's cancellation request first")
ON_HOLD = Row(Kind.REFUSED, "order-on-hold", "Wait until TikTok Shop ends the hold, then retry")
NOT_SHIPPABLE = Row(
    Kind.REFUSED,
    "order-not-shippable",
    "Call the parcel back if it was cancelled; else compare the order in Seller Center",
)
NUMBER = Row(Kind.REFUSED, "tracking-refused", "Correct the tracking number in the ERP; it must fit the carrier")
DUPLICATE = Row(Kind.DONE, "tracking-refused", "The number is on another order already: correct it in the ERP")
CARRIER = Row(
    Kind.REFUSED, "carrier-refused", "Choose a carrier of the order's delivery option under fulfillments/carriers"
)
UNSPLITTABLE = Row(Kind.REFUSED, "split-refused", "Send these units in one parcel, or split the order in Seller Center")
COMBINED = Row(Kind.REFUSED, "package-combined", "Ship the combined package in Seller Center, or uncombine it there")
STRANGE_PACKAGE = Row(Kind.REFUSED, "package-unknown", "The order's packages changed: it is read again and retried")
CARRIED = Row(Kind.REFUSED, "carried-by-channel", "Nothing to do: TikTok Shop ships this itself")
MARKET = Row(Kind.REFUSED, "market-refused", "Report this with the shop's region: the connector chose the wrong call")
INVOICE = Row(
    Kind.REFUSED, "invoice-missing", "Upload the invoice in Seller Center, wait until it is accepted, then retry"
)
LOCKED = Row(Kind.REFUSED, "tracking-locked", "Tell the buyer the right number; TikTok Shop takes no further change")
UNSHIPPED = Row(Kind.REFUSED, "package-not-shipped", "Nothing to do: the package is told with its new number")
HANDOVER = Row(
    Kind.REFUSED, "handover-refused", "Set handover of the connection to drop_off or pickup, as the shop does it"
)
PARCEL = Row(Kind.REFUSED, "parcel-refused", "Correct weight, size, name or address in Seller Center, then retry")
LABEL_LATER = Row(Kind.RETRY, "label-not-ready", "Nothing to do: it is asked for again", 15.0)
LABEL_GONE = Row(Kind.REFUSED, "label-gone", "Nothing to do: the parcel is picked up and needs no label any more")
LABEL_NEVER = Row(
    Kind.REFUSED, "label-not-offered", "Print the label where it was bought; TikTok sells none for this parcel"
)
OPTION = Row(Kind.REFUSED, "delivery-option-refused", "Subscribe the delivery option in Seller Center")

# Products, stock, price
FLOOR = Row(
    Kind.REFUSED,
    "stock-promotion-floor",
    "A promotion reserves this stock: end it in Seller Center, or wait until it ends",
)
INACTIVE = Row(Kind.REFUSED, "product-not-active", "Activate the product in Seller Center")
PLACES = Row(Kind.REFUSED, "warehouses-incomplete", "Nothing to do: its warehouses are read again with the catalogue")
WAREHOUSE = Row(
    Kind.REFUSED, "warehouse-refused", "Check the warehouse in Seller Center: stock goes to enabled sales warehouses"
)
QUANTITY = Row(Kind.REFUSED, "quantity-refused", "Deactivate the product in Seller Center if it shall sell nothing")
ELSEWHERE = Row(Kind.REFUSED, "stock-kept-elsewhere", "Nothing to set here: TikTok Shop derives this stock itself")
GONE = Row(Kind.REFUSED, "product-gone", "Nothing to do: the catalogue is read again")
PRODUCT_LOCKED = Row(Kind.REFUSED, "product-locked", "End the appeal, auction or integration lock in Seller Center")
PRICE = Row(Kind.REFUSED, "price-refused", "Correct the price, or end the promotion that locks it")
LIMIT = Row(Kind.REFUSED, "listing-limit", "Wait for tomorrow: the shop's daily number of new listings is used up")
CATEGORY = Row(Kind.REFUSED, "category-refused", "Name a leaf category of this shop under products/categories")
IMAGE = Row(Kind.REFUSED, "image-refused", "Give a JPG or PNG of at most 10 MB with sides of 300 to 4000 pixels")

# Cancellations and returns
REASON = Row(Kind.REFUSED, "reason-refused", "Choose a reason that fits the order's status and region")
DECISION = Row(Kind.REFUSED, "decision-refused", "Look at the request in Seller Center: its state does not allow this")

_GROUPS: tuple[tuple[Row, tuple[int, ...]], ...] = (
    (BUSY, (36009002, 36009003, 36009007)),  # T-38
    (BUSY, (10002014, 10002015, 10037002, 10037003, 10037004)),  # T-38
    (BUSY, (21001003, 21001008, 21001011, 21001043, 21001055, 21008300, 21022029, 21042001, 21042076)),  # T-82
    (BUSY, (11001027, 11001031, 11006005, 11006026, 12001000, 12052881, 33001002)),  # T-82
    (BUSY, (12052109, 25001028)),  # T-100, T-116
    (TOKEN, (101000, 105001, 105002, 105003, 105004)),  # T-18, T-36
    (CONSENT, (36004001, 36004004, 36004005)),  # T-15
    (SCOPE, (105005,)),  # T-16
    (CIPHER, (106011, 106013)),  # T-20
    (SECRET, (106001,)),  # T-29
    (VERSION, (36009014,)),  # T-35
    (PATH, (36009009, 36009010)),  # T-32, T-34
    (FORM, (36009021, 36009022, 36009023)),  # T-34
    (ADDRESS, (36009033,)),  # T-83
    (UNREADABLE, (21008111,)),  # T-39
    (REFUSED, (11050001, 98001004, 21001001, 21011005, 11001002)),  # T-84
    (DONE, (21011006, 21011020, 21011040, 21042056, 21008099, 11006021, 21011027, 21008042, 21022025)),  # T-82
    (DONE, (21030005, 21030006)),  # T-107
    # T-111, shipping:
    (DUPLICATE, (21011025,)),
    (CANCEL_REQUESTED, (21011007, 21008044, 21021010)),
    (ON_HOLD, (21011044,)),
    (NOT_SHIPPABLE, (21042057, 21011041, 21011042, 21023059)),
    (NUMBER, (21004012, 21034012, 21011026, 21004015, 21004016, 21022032, 11028006)),
    (CARRIER, (21011022,)),
    (UNSPLITTABLE, (21011035, 21011036, 11006013, 11006014)),
    (COMBINED, (21011033, 21011046)),
    (STRANGE_PACKAGE, (21011028, 21011029, 21011031, 21011048)),
    (CARRIED, (21008025, 21008043, 21011004)),
    (MARKET, (21008106, 21004010)),
    (INVOICE, (21004006, 21004019, 21004020)),
    (LOCKED, (21011049, 21011050, 21011051, 21011052, 21011030, 10007002)),
    (UNSHIPPED, (21011043,)),
    (HANDOVER, (21011053, 21011054, 21004017)),
    (PARCEL, (11021009, 21011037, 21004008, 11003011, *range(11021010, 11021026))),
    (LABEL_LATER, (21023034, 21023035, 21042104, 11034023, 11034037)),
    (LABEL_GONE, (21023046, 21042102)),
    (LABEL_NEVER, (11034002, 21008017)),
    (OPTION, (21008116, 21008117)),
    # T-100, products, stock and price:
    (TOO_WIDE, (12052180,)),
    (FLOOR, (12052393,)),
    (INACTIVE, (12052901,)),
    (PLACES, (12019028, 12052533, 12052037)),
    (WAREHOUSE, (12052097, 12052530, 12052531, 12052532, 12019022)),
    (QUANTITY, (12052055, 12019024)),
    (ELSEWHERE, (12052141, 12052144, 12052382, 12052850, 12052921)),
    (GONE, (12052036, 12052556, 12052557, 12052031, 12052032, 12052260, 12019150, 12019008, 12052048, 12052034)),
    (PRODUCT_LOCKED, (12052308, 12052371, 12052332)),
    (PRICE, (12052038, 12019045, 12052012, 12052073, 12052084, 12052092, 12052424, 12052570, 12052572)),
    (SELLER, (12052700, 12052704, 12019112, 12019114)),
    (LIMIT, (12052093,)),
    (CATEGORY, (12052217, 12052230, 12052023, 12052024, 12052025)),
    (IMAGE, (12038002, 12038004, 12038005, 12038014, 12038015, 12019116)),
    # T-116, cancellations and returns:
    (REASON, (25001014, 25001015, 25001016, 25001020, 25001021, 25001057)),
    (DECISION, (25001003, 25011011, 25011012, 25020003, 25020004, 25020005, 25020009, 25020010, 25011026)),
    (DECISION, (25001010, 25001011, 25001045, 25001046, 25001051, 25005010, 25005011, 25007006)),
)
TABLE: dict[int, Row] = {code: row for row, codes in _GROUPS for code in codes}

MESSAGES: tuple[tuple[str, Row], ...] = (  # T-37; the first text found in the message decides
    ("timestamp", CLOCK),
    ("api version", VERSION),
    ("signature", SECRET),
    ("access_token` header", TOKEN),
    ("x-tts-access-token", TOKEN),
    ("not required", UNWANTED),
    ("shop_cipher", CIPHER),
    ("shop_id", CIPHER),
    ("app_key", APP),
    ("date range", TOO_WIDE),
)


def row_of(code: int, message: str) -> Row:
    """Return the table's line for a code; one that nobody listed counts as a refusal of this very request."""
    if code == 36009004:
        lower = message.lower()
        if "unexpected identifier" in lower:  # T-21: the text seen live, which may name the parameter
            return UNWANTED if "cipher" in lower else REFUSED
        return next((row for words, row in MESSAGES if words in lower), REFUSED)
    if code == 10006402:  # T-39: "permission denied" in one text, an internal error in a later one
        return UNREADABLE if "permission" in message.lower() else BUSY
    return TABLE.get(code, REFUSED)
