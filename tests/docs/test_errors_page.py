"""docs/errors.md has one section for each code that the source can raise, and none for a code that it cannot."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "errors.md"
SOURCES = (ROOT / "hub", ROOT / "plugins" / "katana" / "hub_katana", ROOT / "plugins" / "tiktok" / "hub_tiktok")
SLUG = re.compile(r"[a-z]+(-[a-z]+)*")
NAMES = ("code", "slug")  # a parameter, field or loop variable of this name holds a code
ERRORS = "TransientError|AuthorizationError|ConfigurationError|RejectedError|ContractError|HubError"
PARTS = ("- **Means:** ", "- **Then the hub:** ", "- **Do:** ")


@dataclass(slots=True)
class Module:
    """One source file: its tree, and where its own functions and classes take a code."""

    path: Path
    tree: ast.Module
    takes: dict[str, int] = field(default_factory=dict)
    tables: dict[str, ast.expr] = field(default_factory=dict)


def annotated_as_text(annotation: ast.expr | None) -> bool:
    return isinstance(annotation, ast.Name) and annotation.id == "str"


def position(node: ast.AST) -> tuple[str, int] | None:
    """Return a callable's name and which of its positional arguments is a code."""
    if isinstance(node, ast.FunctionDef):
        taken = [argument for argument in node.args.args if argument.arg != "self"]
        at = [n for n, argument in enumerate(taken) if argument.arg in NAMES and annotated_as_text(argument.annotation)]
        return (node.name, at[0]) if at else None
    if isinstance(node, ast.ClassDef):
        made = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"]
        if made:
            found = position(made[0])
            return (node.name, found[1]) if found else None
        fields = [each for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)]
        names = [(each.target.id, each.annotation) for each in fields if isinstance(each.target, ast.Name)]
        at = [n for n, (name, kind) in enumerate(names) if name in NAMES and annotated_as_text(kind)]
        return (node.name, at[0]) if at else None
    return None


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(file for source in SOURCES for file in source.rglob("*.py")):
        module = Module(path, ast.parse(path.read_text(encoding="utf-8")))
        for node in ast.walk(module.tree):
            if (taken := position(node)) is not None:
                module.takes[taken[0]] = taken[1]
        for statement in module.tree.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                module.tables |= {each.id: statement.value for each in targets if isinstance(each, ast.Name)}
        found.append(module)
    return tuple(found)


@cache
def takers() -> dict[str, int]:
    """Return every callable that takes a code, by its name; error classes without a constructor of their own too."""
    found: dict[str, int] = {}
    for module in modules():
        found |= {name: at for name, at in module.takes.items() if not name.startswith("_")}
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef) and node.name.endswith("Error") and node.name not in found:
                bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                if any(re.fullmatch(ERRORS, base) for base in bases):
                    found[node.name] = 0
    return found


def texts(node: ast.expr | None) -> Iterator[str]:
    """Yield the texts that an expression may come to, as far as they are written down."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)


def called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def in_calls(module: Module) -> Iterator[str]:
    local = {node.name for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        at = module.takes.get(name) if name in local else module.takes.get(name, takers().get(name))
        if at is not None and at < len(node.args):
            yield from texts(node.args[at])
        yield from (text for each in node.keywords if at is not None and each.arg in NAMES for text in texts(each.value))


def in_mappings(module: Module) -> Iterator[str]:
    """Yield what stands under "code" in a mapping written out."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == "code":
                    yield from texts(value)


def in_tables(module: Module) -> Iterator[str]:
    """Yield the codes of tables that a loop takes apart: ``for words, kind, code, what, do in TABLE``."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.For) and isinstance(node.target, ast.Tuple) and isinstance(node.iter, ast.Name):
            at = [n for n, each in enumerate(node.target.elts) if isinstance(each, ast.Name) and each.id in NAMES]
            table = module.tables.get(node.iter.id)
            if at and isinstance(table, ast.Tuple):
                for row in table.elts:
                    assert isinstance(row, ast.Tuple)
                    yield from texts(row.elts[at[0]])


def in_catalogues(module: Module) -> Iterator[str]:
    """Yield the keys of a table called CODES."""
    table = module.tables.get("CODES")
    if isinstance(table, ast.Dict):
        for key in table.keys:
            yield from texts(key)


@cache
def raised() -> dict[str, frozenset[str]]:
    """Return every code in the source, with the files that raise it."""
    found: dict[str, set[str]] = {}
    for module in modules():
        for codes in (in_calls(module), in_mappings(module), in_tables(module), in_catalogues(module)):
            for code in codes:
                found.setdefault(code, set()).add(module.path.relative_to(ROOT).as_posix())
    return {code: frozenset(files) for code, files in found.items()}


if __name__ == "__main__":
    for code, files in sorted(raised().items()):
        print(code, sorted(files))
    print(takers())
