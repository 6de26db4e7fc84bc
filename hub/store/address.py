"""Addresses of databases: what a person wrote, made an URL, and the name that may be shown and logged."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from hub.contract import ConfigurationError

SPECIAL = "@ as %40, / as %2F, # as %23, ? as %3F, : as %3A"


def parse(text: str) -> tuple[sa.URL, str]:
    """Return the URL of a database, given as URL or as the path of a SQLite file, and its name without any secret.

    Raises:
        ConfigurationError: it is no address; nothing of it is quoted, since its password may stand anywhere.
    """
    if "://" not in text:
        text = f"sqlite:///{Path(text).absolute()}"
    try:
        url = make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise _unreadable() from error
    if url.drivername.startswith("sqlite"):
        return url, url.database or ""
    if _is_torn(text, url):
        raise _unreadable()
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    return url, _name(url)


def _is_torn(text: str, url: sa.URL) -> bool:
    """Say whether a password that is not encoded ended at an @ of its own: the rest of it is in the other parts."""
    return url.password is not None and text.partition("://")[2].partition(":")[2].count("@") > 1


def _name(url: sa.URL) -> str:
    """Name host, port and database; libpq takes each from the query too."""

    def asked(key: str) -> str:
        found = url.query.get(key, "")
        return found if isinstance(found, str) else ",".join(found)

    host, port = url.host or asked("host"), url.port or asked("port")
    return f"{url.get_backend_name()}://{host}{f':{port}' if port else ''}/{url.database or asked('dbname')}"


def _unreadable() -> ConfigurationError:
    return ConfigurationError(
        "database-url",
        "the address of the database cannot be read",
        where="the database's address (--database or HUB_DATABASE)",
        do="Give a file path, or postgresql://user@host/name. A password in it is written with its special characters "
        f"encoded ({SPECIAL}), or put into PGPASSWORD instead.",
    )
