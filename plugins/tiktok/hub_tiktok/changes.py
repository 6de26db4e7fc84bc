"""Changed cancellations and returns: searches that are read like the feed of orders (T-112, T-115)."""

from __future__ import annotations

from hub_tiktok.endpoints import Endpoint
from hub_tiktok.feed import SearchPage, Window
from hub_tiktok.payload import children, text, whole
from hub_tiktok.shops import Shops

PAGE_SIZE = 50  # T-112, T-115


def changed_page(shops: Shops, endpoint: Endpoint, listed: str, id_name: str, window: Window, token: str) -> SearchPage:
    """Read one page of what changed in a window, oldest change first: one call.

    Args:
        listed: the name of the answer's list.
        id_name: what a record calls its id.

    Shape: each record has an ``id`` and an ``update_time`` besides, which are the names that the feed reads.
    """
    query = {"page_size": str(PAGE_SIZE), "sort_field": "update_time", "sort_order": "ASC"}
    if token:
        query["page_token"] = token
    body = {"update_time_ge": window.start}
    if window.end is not None:
        body["update_time_lt"] = window.end
    data = shops.call(endpoint, query, body=body)
    records = []
    for item in children(data, listed):
        changed = whole(item, "update_time") or whole(item, "create_time") or window.start
        records.append({**item, "id": text(item, id_name), "update_time": changed})
    return SearchPage(tuple(records), text(data, "next_page_token"), whole(data, "total_count") or 0)
