"""Bring a database's tables to the present version."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config


def upgrade(tx: sa.Connection, revision: str = "head") -> None:
    """Run the migrations that are missing inside the caller's transaction; nothing changes where one fails."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = tx
    command.upgrade(config, revision)
