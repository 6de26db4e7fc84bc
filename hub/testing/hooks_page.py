"""docs/hooks.md, made from the hook specifications: ``python -m hub.testing.hooks_page > docs/hooks.md``."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

from hub.contract import HOOK_NAMES, Hooks

_LABEL = re.compile(r"(Shape|Units|Repeats|Raises|Source): +(.*)")
_HEAD = """# Hooks

Made from `hub/contract/hookspecs.py` by `python -m hub.testing.hooks_page > docs/hooks.md`; do not edit it.

A connector is a class with `name`, `settings_model`, `capabilities` (the hooks it promises) and `in_flight` (how many
calls may run at once, never two for one Order), built once per Connection with that Connection. Each hook is a plain
method marked `@hookimpl`. It takes the arguments of its heading, or fewer of them, by name and without defaults. All
values are those of `hub.contract`; its `model.py` gives their units.

Every hook may raise the errors of `hub.contract.errors`; what the hub does next is said there.
"""


def hooks_page() -> str:
    """Return the page: a heading with the exact arguments for every hook, its types, and its docstring by label."""
    names = [name for name in vars(Hooks) if name in HOOK_NAMES]
    contents = "\n".join(f"- [`{name}`](#{_anchor(heading(name))})" for name in names)
    return "\n".join([_HEAD, contents, *("\n" + _section(name) for name in names)]) + "\n"


def heading(name: str) -> str:
    """Return a hook's heading, such as ``pull_orders(since, start)``."""
    return f"{name}({', '.join(_parameters(name))})"


def _parameters(name: str) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(getattr(Hooks, name)).parameters
    return {each: parameter for each, parameter in parameters.items() if each != "self"}


def _anchor(text: str) -> str:
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def _section(name: str) -> str:
    hook: Any = getattr(Hooks, name)
    typed = ", ".join(f"{each}: {parameter.annotation}" for each, parameter in _parameters(name).items())
    returns = inspect.signature(hook).return_annotation
    first, _, rest = (inspect.getdoc(hook) or "").partition("\n")
    labels: list[str] = []
    for line in filter(None, map(str.strip, rest.splitlines())):
        found = _LABEL.fullmatch(line)
        if found:
            labels.append(f"- **{found[1]}:** {found[2]}")
        else:
            labels.append(f"  {line}")
    signature = f"`{name}({typed}) -> {returns}`"
    return "\n".join([f"## {heading(name)}", "", first, "", signature, "", *labels]).rstrip().replace("``", "`")


if __name__ == "__main__":
    sys.stdout.write(hooks_page())
