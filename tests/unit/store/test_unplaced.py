"""What a survey asks for, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from hub.store import Store, orders
from hub.store.orders import Unplaced
from hub.store.tables import orders as table

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_what_waits_is_named_with_the_shop_of_its_document(store: Store) -> None:
    same = {"connection": "shop", "channel_status": "X", "updated_at": NOON, "first_seen_at": NOON, "read_at": NOON,
            "digest": "", "created_at": NOON, "fate": "held"}  # fmt: skip
    rows = [
        {**same, "id": 1, "ref": "1", "key": "TT-1", "document": '{"ref":"1","shop":"s\\u00e91"}'},
        {**same, "id": 2, "ref": "2", "key": "TT-2", "document": '{"shop":"s2"}', "fate": "placed"},
        {**same, "id": 3, "ref": "3", "key": "TT-3", "document": '{"shop":"s3"}'},
    ]
    with store.write() as tx:
        tx.execute(sa.insert(table), rows)
        later = NOON + timedelta(seconds=1)
        assert orders.unplaced(tx, "shop", later, 0, 10) == [
            Unplaced(1, "TT-1", "s\u00e91", "1", NOON), Unplaced(3, "TT-3", "s3", "3", NOON)
        ]  # fmt: skip
        assert [each.id for each in orders.unplaced(tx, "shop", later, 1, 10)] == [3]
        assert orders.unplaced(tx, "shop", NOON, 0, 10) == []
