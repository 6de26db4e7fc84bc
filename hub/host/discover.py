"""Entry points -> connectors and simulators. The only use of stevedore."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from stevedore import ExtensionManager
from stevedore.exception import MultipleMatches
from stevedore.extension import error_on_conflict

from hub.contract import ConfigurationError, HubError
from hub.host.register import verify

CONNECTORS = "hub.connectors"
SIMULATORS = "hub.simulators"


@dataclass(frozen=True, slots=True)
class Found:
    """One entry point: what it loaded to, or why it is down."""

    name: str
    distribution: str
    version: str
    plugin: Any | None
    error: str | None = None


def _origin(entry: EntryPoint) -> tuple[str, str]:
    # An entry point out of stevedore's cache no longer knows its distribution.
    known = (each.dist for each in entry_points(group=entry.group, name=entry.name) if each.value == entry.value)
    dist = entry.dist or next((each for each in known if each is not None), None)
    return (dist.name, dist.version) if dist is not None else ("unknown distribution", "?")


def _load(namespace: str) -> dict[str, Found]:
    found: dict[str, Found] = {}

    def failed(_manager: object, entry: EntryPoint, error: BaseException) -> None:
        found[entry.name] = Found(entry.name, *_origin(entry), None, f"{type(error).__name__}: {error}")

    try:
        manager: ExtensionManager[Any] = ExtensionManager(
            namespace, on_load_failure_callback=failed, conflict_resolver=error_on_conflict
        )
        loaded = dict(manager.items())  # the only way that asks the resolver; plain iteration does not
    except MultipleMatches as error:
        raise ConfigurationError(
            "plugin-conflict",
            f"two installed distributions offer the same name: {error}",
            where=f"entry-point group {namespace}",
            do="Uninstall one of them.",
        ) from error
    for name, extension in loaded.items():
        found[name] = Found(name, *_origin(extension.entry_point), extension.plugin)
    return dict(sorted(found.items()))


def connectors() -> dict[str, Found]:
    """Return every installed connector by name; one that cannot be used has ``plugin`` None and says why."""
    return {name: _verified(found) for name, found in _load(CONNECTORS).items()}


def _verified(found: Found) -> Found:
    if found.plugin is None:
        return found
    try:
        verify(found.plugin, found.name, f"{found.distribution} {found.version}")
    except HubError as error:
        return Found(found.name, found.distribution, found.version, None, f"{error.what}. {error.do}")
    return found


def simulators() -> dict[str, Found]:
    """Return every installed simulator by name."""
    return _load(SIMULATORS)
