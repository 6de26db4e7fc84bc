"""Copy a ledger into another database, so that a rehearsal may write without touching the real one."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from hub.store.database import Store, Tx
from hub.store.tables import authorisations, listings, metadata, outbox, packages, returns

BATCH = 1000
LEFT_OUT = (authorisations,)  # tokens have one home; a second copy would be refreshed apart from it


def copy_ledger(source: Store, target: Store) -> int:
    """Copy every row but the tokens into an empty ledger, as one consistent view; return how many.

    Source and target may be on different databases: values pass through the columns' own types.
    """
    copied = 0
    with source.read() as reading, target.write() as writing:
        for table in metadata.sorted_tables:
            if table in LEFT_OUT:
                continue
            rows = reading.execution_options(yield_per=BATCH).execute(sa.select(table)).mappings()
            for batch in rows.partitions():
                writing.execute(sa.insert(table), [dict(row) for row in batch])
                copied += len(batch)
    return copied


def bring_due(tx: Tx, now: datetime) -> None:
    """Have a copy's pass look up at once what is on its way or waits: in a real pass its turn may come at any time.

    Else what another process claimed, and left when it was killed, would be written without having been shown.
    """
    pulled = (
        (outbox, ("sending", "unknown"), {"state": "unknown", "due_at": now}),
        (outbox, ("pending",), {"due_at": now}),
        (packages, ("sending", "unknown"), {"state": "unknown", "due_at": now}),
        (returns, ("sending",), {"due_at": now}),
        (listings, ("sending", "unknown"), {"due_at": now}),
    )
    for table, states, values in pulled:
        tx.execute(sa.update(table).where(table.c.state.in_(states)).values(values))
