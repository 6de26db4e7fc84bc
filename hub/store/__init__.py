"""The ledger and the outbox: what the hub knows and what it will do. The only room that speaks SQL."""

from hub.store.database import SCHEMA_VERSION, ConflictError, Store, Tx, open_store, schema_version

__all__ = ["SCHEMA_VERSION", "ConflictError", "Store", "Tx", "open_store", "schema_version"]
