"""Copy a ledger into another database, so that a rehearsal may write without touching the real one."""

from __future__ import annotations

import sqlalchemy as sa

from hub.store.database import Store
from hub.store.tables import authorisations, metadata

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
