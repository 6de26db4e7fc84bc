"""The table of cancellation and return calls (10)."""

from __future__ import annotations

from tiktok_simulator.aftersale import calls_cancel as cancel
from tiktok_simulator.aftersale import calls_return as returns
from tiktok_simulator.gateway import Endpoint

SCOPE = "seller.return_refund.basic"
BASE = "/return_refund/202309"
CANCEL, RETURN = f"{BASE}/cancellations/{{cancel_id}}", f"{BASE}/returns/{{return_id}}"

AFTERSALE_ENDPOINTS = [
    Endpoint("POST", f"{BASE}/cancellations", SCOPE, cancel.cancel_order),
    Endpoint("POST", f"{BASE}/cancellations/search", SCOPE, cancel.search_cancellations),
    Endpoint("POST", f"{CANCEL}/approve", SCOPE, cancel.approve_cancellation),
    Endpoint("POST", f"{CANCEL}/reject", SCOPE, cancel.reject_cancellation),
    Endpoint("GET", f"{BASE}/reject_reasons", SCOPE, cancel.reject_reasons),
    Endpoint("POST", f"{BASE}/returns/search", SCOPE, returns.search_returns),
    Endpoint("POST", f"{RETURN}/approve", SCOPE, returns.approve_return),
    Endpoint("POST", f"{RETURN}/reject", SCOPE, returns.reject_return),
]
