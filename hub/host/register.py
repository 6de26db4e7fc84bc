"""Hook verification at load, and one plugin object per Connection."""

from __future__ import annotations

import inspect
from typing import Any

import pluggy
from pydantic import BaseModel

from hub.contract import HOOK_NAMES, Connector, ContractError, Hooks, hookimpl

_MARK = f"{hookimpl.project_name}_impl"


def verify(connector: Any, name: str, origin: str) -> None:
    """Refuse a connector class that breaks the contract, naming distribution, hook and argument.

    Raises:
        ContractError: every fault found, in one message.
    """
    faults = [*_attributes(connector, name), *_hooks(connector)]
    if faults:
        raise ContractError(
            "connector-refused",
            "; ".join(faults),
            where=f"connector {name} of {origin}",
            do=f"Report it to the author of {origin}; docs/hooks.md lists every hook and its arguments.",
        )


def _attributes(connector: Any, name: str) -> list[str]:
    faults = []
    if not inspect.isclass(connector):
        return [f"the entry point must load to a class, not {type(connector).__name__}"]
    if getattr(connector, "name", None) != name:
        faults.append(f"its attribute 'name' must equal the entry point's name {name!r}")
    model = getattr(connector, "settings_model", None)
    if not (inspect.isclass(model) and issubclass(model, BaseModel)):
        faults.append("its attribute 'settings_model' must be a pydantic model class")
    if not isinstance(getattr(connector, "in_flight", None), int):
        faults.append("its attribute 'in_flight' must be a whole number")
    if not isinstance(getattr(connector, "capabilities", None), frozenset):
        faults.append("its attribute 'capabilities' must be a frozenset of hook names")
    return faults


def _hooks(connector: Any) -> list[str]:
    faults = []
    marked = set()
    for name, member in inspect.getmembers(connector, callable):
        is_marked = hasattr(member, _MARK)
        if is_marked and name not in HOOK_NAMES:
            faults.append(f"{name} is marked as a hook, but there is no such hook")
        elif is_marked:
            marked.add(name)
            faults += _arguments(name, member)
        elif name in HOOK_NAMES:
            faults.append(f"{name} is named like a hook but lacks @hookimpl, so it would never be called")
    declared = getattr(connector, "capabilities", None)
    promised: set[str] = set(declared) if isinstance(declared, frozenset) else set()
    for name in sorted(promised - marked):
        known = "is declared as a capability but not implemented" if name in HOOK_NAMES else "is no hook of this hub"
        faults.append(f"{name} {known}")
    faults += [f"{name} is implemented but not declared in 'capabilities'" for name in sorted(marked - promised)]
    return faults


def _arguments(name: str, member: Any) -> list[str]:
    has = inspect.signature(member).parameters
    wants = inspect.signature(getattr(Hooks, name)).parameters
    faults = [f"{name} takes an argument {each!r} that the hook does not have" for each in has if each not in wants]
    faults += [
        f"{name} gives its argument {each!r} a default, so it would never be filled"
        for each, parameter in has.items()
        if parameter.default is not inspect.Parameter.empty
    ]
    return faults


class _Manager(pluggy.PluginManager):
    """Looks closely only at what the connector's class marks: looking at every attribute takes as long again."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> pluggy.HookimplOpts | None:
        is_marked = hasattr(getattr(type(plugin), name, None), _MARK)
        return super().parse_hookimpl_opts(plugin, name) if is_marked else None


def plug(plugin: Connector) -> pluggy.HookRelay:
    """Register one connector object with a plugin manager of its own, so that a call reaches exactly one."""
    manager = _Manager(hookimpl.project_name)
    manager.add_hookspecs(Hooks)
    manager.register(plugin)
    manager.check_pending()
    return manager.hook
