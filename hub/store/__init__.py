"""The ledger and the outbox: what the hub knows and what it will do. The only room that speaks SQL."""

from hub.store.database import (
    SCHEMA_VERSION,
    ConflictError,
    Store,
    Tx,
    open_store,
    require_schema,
    schema_version,
    silence_ends,
)
from hub.store.leases import Fence, LaneLostError
from hub.store.locks import Lock

__all__ = [
    "SCHEMA_VERSION", "ConflictError", "Fence", "LaneLostError", "Lock", "Store", "Tx", "open_store", "require_schema",
    "schema_version", "silence_ends",
]  # fmt: skip
