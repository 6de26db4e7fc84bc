"""docs/errors.md has one section for each code that the source can raise, and none for a code that it cannot."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from hub_katana.auth import HOW_TO_RECONNECT

from hub.cli.failure import facts_of, show
from hub.contract import AuthorizationError
from tests.docs.console import misuse, spans

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "errors.md"
SOURCES = (ROOT / "hub", ROOT / "plugins" / "katana" / "hub_katana", ROOT / "plugins" / "tiktok" / "hub_tiktok")
KIT = ROOT / "hub" / "testing"  # it raises nothing that an operator sees
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
    for path in sorted(file for source in SOURCES for file in source.rglob("*.py") if KIT not in file.parents):
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
                own = any(isinstance(each, ast.FunctionDef) and each.name == "__init__" for each in node.body)
                if not own and any(re.fullmatch(ERRORS, base) for base in bases):
                    found[node.name] = 0
    return found


@cache
def constants() -> dict[str, str]:
    """Return the texts that modules name in capitals, so that several may raise and compare one code."""
    found: dict[str, str] = {}
    for module in modules():
        for statement in module.tree.body:
            if isinstance(statement, ast.Assign):
                (target,) = statement.targets
                pairs = [(target, statement.value)]
                if isinstance(target, ast.Tuple) and isinstance(statement.value, ast.Tuple):
                    pairs = list(zip(target.elts, statement.value.elts, strict=True))
                for name, value in pairs:
                    if isinstance(name, ast.Name) and name.id.isupper() and isinstance(value, ast.Constant):
                        found[name.id] = str(value.value)
    return found


def texts(node: ast.expr | None) -> Iterator[str]:
    """Yield the texts that an expression may come to, as far as they are written down."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.Name) and node.id in constants():
        yield constants()[node.id]
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
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error"):
            # An error that brings its own code: super().__init__("code", ...).
            made = [each for each in ast.walk(node) if isinstance(each, ast.Call) and called(each) == "__init__"]
            yield from (text for call in made for text in texts(call.args[0] if call.args else None))


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


def sections() -> dict[str, list[str]]:
    """Return each section's paragraphs, by its heading."""
    parts = re.split(r"^### ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    assert len({part.partition("\n")[0] for part in parts}) == len(parts), "a heading stands twice"
    return {part.partition("\n")[0]: re.findall(r"^- .*$", part, re.MULTILINE) for part in parts}


def test_every_code_in_the_source_has_a_section() -> None:
    assert {code: sorted(files) for code, files in raised().items() if code not in sections()} == {}


def test_every_section_is_of_a_code_in_the_source() -> None:
    assert set(sections()) - set(raised()) == set()


def test_every_section_says_what_it_means_what_happens_and_what_to_do() -> None:
    for code, paragraphs in sections().items():
        assert SLUG.fullmatch(code), code
        assert len(paragraphs) == len(PARTS), code
        assert all(paragraph.startswith(part) for paragraph, part in zip(paragraphs, PARTS, strict=True)), code


def test_every_command_it_names_is_one() -> None:
    named = spans(PAGE.read_text(encoding="utf-8"))
    assert len(named) > 50
    assert {command: why for command in named if (why := misuse(command)) is not None} == {}


def test_its_example_is_a_message_of_the_hub(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    what = "Katana refuses the API key"
    show(facts_of(AuthorizationError("credentials-refused", what, where="katana, GET /user_info", do=HOW_TO_RECONNECT)))
    assert capsys.readouterr().err == example


def test_every_code_is_found_however_it_is_raised() -> None:
    """One code for each way in which the source writes them, so that a way that is no longer seen is noticed."""
    ways = {
        "no-answer": "an argument of an error",
        "connector-choice": "an argument of an error, in one line",
        "route-file": "an error that brings its own code",
        "money-unbalanced": "a Problem",
        "no-route": "a private function that makes a Problem",
        "held-already": "a private function that makes an error",
        "disk-full": "a table that a loop takes apart",
        "duplicate-key": "the catalogue of the route file's faults",
        "ip-not-allowed": "a row of a connector's table",
        "order-incomplete": "a mapping",
        "internal-error": "a mapping for the command line",
    }
    assert {code: way for code, way in ways.items() if code not in raised()} == {}


def handed_on(node: ast.expr) -> bool:
    """Say whether an expression only passes on a code from elsewhere: ``code``, ``error.code``, ``reason["code"]``."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Constant) and node.slice.value in NAMES
    return (isinstance(node, ast.Name) and node.id in NAMES) or (isinstance(node, ast.Attribute) and node.attr in NAMES)


def test_no_code_is_put_together() -> None:
    """A code that is not written down as a text could not be found here, nor by a person who searches for it."""
    for module in modules():
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call) or not (called(node).endswith("Error") or called(node) == "Problem"):
                continue
            at = takers().get(called(node))
            if at is not None and at < len(node.args):
                argument = node.args[at]
                assert list(texts(argument)) or handed_on(argument), (module.path.name, ast.unparse(node))
