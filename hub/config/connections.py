"""The ``connections`` of a route file: which connector, and settings that its model accepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from hub.config.faults import Report, child, listing, nearest, printable
from hub.config.marks import SECRET, URL, Schema, find_marked, schema_of
from hub.config.references import DOLLAR
from hub.config.secrets import STAND_IN, read_secret
from hub.contract import Connector, is_loopback

Connectors = Mapping[str, type[Connector]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One connection as the file has it, its connector found."""

    id: str
    pointer: str
    connector: type[Connector]
    settings: Any

    @property
    def schema(self) -> Schema:
        return schema_of(self.connector.settings_model)


def entries(data: Any, connectors: Connectors) -> Iterator[Entry]:
    """Yield every connection whose connector is installed, however wrong the rest of it is."""
    for key, value in mapping(mapping(data).get("connections")).items():
        name = mapping(value).get("connector")
        if isinstance(name, str) and name in connectors:
            pointer = child(child("/connections", key), "settings")
            yield Entry(key, pointer, connectors[name], mapping(value).get("settings", {}))


def secret_pointers(data: Any, connectors: Connectors) -> set[str]:
    """Return where secret settings stand."""
    found = (find_marked(SECRET, entry.schema, entry.settings, entry.pointer) for entry in entries(data, connectors))
    return {secret.pointer for secrets in found for secret in secrets}


def check_connectors(data: Any, connectors: Connectors, report: Report) -> None:
    """Note every connection whose connector is not installed; its settings are then left alone."""
    for key, value in mapping(mapping(data).get("connections")).items():
        pointer, name = child(child("/connections", key), "connector"), mapping(value).get("connector")
        if not isinstance(name, str) or name in connectors:
            continue
        if DOLLAR in name:
            what, do = "a connector cannot be a reference", f"Write one of: {listing(sorted(connectors))}."
            report.wrong(pointer, "reference-malformed", what, do)
            continue
        what = f"no connector called {printable(name)} is installed"
        do = f"{nearest(name, connectors)}Installed: {listing(sorted(connectors))}. Install it, or write one of these."
        report.wrong(pointer, "connector-unknown", what, do)


def read_secrets(data: Any, connectors: Connectors, environ: Mapping[str, str], report: Report) -> dict[str, str]:
    """Return each secret by its pointer; one that could not be read has a stand-in, and a Fault."""
    known = list(entries(data, connectors))
    users = [entry.connector for entry in known]
    secrets: dict[str, str] = {}
    for entry in known:
        owner = entry.connector.name if users.count(entry.connector) == 1 else entry.id
        for secret in find_marked(SECRET, entry.schema, entry.settings, entry.pointer):
            if secret.value is None and secret.may_be_null:
                continue
            variable = f"{owner}_{secret.name}".upper().replace("-", "_")
            secrets[secret.pointer] = read_secret(secret, variable, environ, report) or STAND_IN
    return secrets


def check_urls(entry: Entry, report: Report) -> None:
    """Note settings that say where an outside system is and are not https, nor on this machine."""
    for url in find_marked(URL, entry.schema, entry.settings, entry.pointer):
        if isinstance(url.value, str) and not _is_outside(url.value):
            what, do = "must be an https URL; plain http is for this very machine only", "Write it like https://host."
            report.wrong(url.pointer, "wrong-value", what, do)


def is_on_loopback(settings: BaseModel) -> bool:
    """Say whether settings, defaults included, name at least one outside system, and each on this very machine."""
    data = settings.model_dump(mode="json", by_alias=True)
    urls = [url.value for url in find_marked(URL, schema_of(type(settings)), data) if url.value is not None]
    return bool(urls) and all(isinstance(url, str) and is_local(url) for url in urls)


def is_local(url: str) -> bool:
    """Say whether a text is a URL on this very machine."""
    return _is_outside(url) and is_loopback(url)


def validated(entry: Entry, secrets: Mapping[str, str], report: Report) -> BaseModel | None:
    """Return the settings as their model; None, and Faults at their places, where it refuses them."""
    before = bool([fault for fault in report.faults if fault.pointer.startswith(entry.pointer)])
    data = _with_secrets(entry.settings, entry.pointer, secrets)
    try:
        return entry.connector.settings_model.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            # Missing and unknown keys were found by the schema; a rule over several settings needs them all.
            if detail["type"] in ("missing", "extra_forbidden") or (before and not detail["loc"]):
                continue
            _note(detail["msg"], _pointer(entry.pointer, detail["loc"], report), report)
    return None


def _note(message: str, pointer: str, report: Report) -> None:
    text = " ".join(message.removeprefix("Value error, ").split()).rstrip(".")
    if not text or any(value and value in message for value in report.hidden):
        text = "the connector refuses this value"
    do = "The connector's documentation and `hub schema` say what may stand here."
    report.wrong(pointer, "wrong-value", printable(text, 200), do)


def _pointer(pointer: str, location: tuple[int | str, ...], report: Report) -> str:
    for part in location:
        # Locations also name the branches of a union, which the file does not have.
        if child(pointer, part) in report.places:
            pointer = child(pointer, part)
    return pointer


def _with_secrets(data: Any, pointer: str, secrets: Mapping[str, str]) -> Any:
    if pointer in secrets:
        return secrets[pointer]
    if isinstance(data, dict):
        return {key: _with_secrets(value, child(pointer, key), secrets) for key, value in data.items()}
    if isinstance(data, list):
        return [_with_secrets(value, child(pointer, at), secrets) for at, value in enumerate(data)]
    return data


def _is_outside(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(text)))
    except ValueError:
        return False


def mapping(value: Any) -> dict[str, Any]:
    """Return a value if it is a mapping, else an empty one; the schema tells the operator."""
    return value if isinstance(value, dict) else {}
