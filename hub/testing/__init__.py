"""PUBLIC: the contract kit for connector authors; docs/first-connector.md shows its use.

``hub.testing.strategies`` (property tests) needs hypothesis and is imported by its own name.
"""

from hub.testing.connection import Bench, SkippingClock, make_connection
from hub.testing.deeds import Deeds, SeenOffer, SeenParcel, SeenReturn
from hub.testing.faults import Answer, Channel, Kind, Reply, Request
from hub.testing.kit import RULES, ConnectorContract
from hub.testing.outside import Outside, SeenOrder

__all__ = [
    "RULES",
    "Answer",
    "Bench",
    "Channel",
    "ConnectorContract",
    "Deeds",
    "Kind",
    "Outside",
    "Reply",
    "Request",
    "SeenOffer",
    "SeenOrder",
    "SeenParcel",
    "SeenReturn",
    "SkippingClock",
    "make_connection",
]
