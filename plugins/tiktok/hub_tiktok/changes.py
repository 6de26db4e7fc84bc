"""Changed cancellations and returns: searches that are read like the feed of orders (T-112, T-115)."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.contract import Connection
from hub_tiktok.endpoints import Endpoint
from hub_tiktok.feed import SearchPage, Window
from hub_tiktok.payload import Json, children, instant, text, whole
from hub_tiktok.settings import TikTokSettings
from hub_tiktok.shops import Shops

PAGE_SIZE = 50  # T-112, T-115
TOLD = "told_update_time"


def changed_page(shops: Shops, endpoint: Endpoint, listed: str, id_name: str, window: Window, token: str) -> SearchPage:
    """Read one page of what changed in a window, oldest change first: one call.

    Args:
        listed: the name of the answer's list.
        id_name: what a record calls its id.

    Shape: each record has an ``id`` and an ``update_time`` besides, which are the names that the feed reads, and under
           ``TOLD`` the change it told itself, if any.
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
        told = {TOLD: item.get("update_time")}
        records.append({**item, **told, "id": text(item, id_name), "update_time": changed})
    return SearchPage(tuple(records), text(data, "next_page_token"), whole(data, "total_count") or 0)


def changed_at(connection: Connection[TikTokSettings], item: Json, status_name: str) -> datetime:
    """Return when a record of ``changed_page`` last changed, the same at each reading.

    One that tells no change (T-122) counts as changed when its status was first seen; a moment that is new at every
    reading would make it news each time.
    """
    told = instant(item, TOLD)
    if told is not None:
        return told
    key, status = f"seen:{text(item, 'id')}", text(item, status_name)
    known, _, at = (connection.memory.get(key) or "").rpartition(" ")
    if known == status and at.isdecimal():
        return datetime.fromtimestamp(int(at), UTC)
    now = connection.clock.now()
    connection.memory.set(key, f"{status} {int(now.timestamp())}")
    return now
