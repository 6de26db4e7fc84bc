"""Bring a database's tables to the present version."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from hub.store.database import Store


def upgrade(store: Store, revision: str = "head") -> None:
    """Run the migrations that are missing, in one transaction; nothing changes where one fails."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with store.write() as tx:
        config.attributes["connection"] = tx
        command.upgrade(config, revision)
