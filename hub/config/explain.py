"""What jsonschema found, in words for the operator. No text shows a value: it may be a secret in the wrong place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from hub.config.faults import Report, as_written, child, listing, nearest

_KINDS = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "empty",
}
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]{1,40}")


def check(schema: Mapping[str, Any], data: Any, report: Report) -> None:
    """Add a Fault for each way in which ``data`` breaks the schema, but for values known to be wrong."""
    for error in Draft202012Validator(schema).iter_errors(data):
        _explain(error, report)


def _explain(error: ValidationError, report: Report) -> None:
    pointer = ""
    for part in error.absolute_path:
        pointer = child(pointer, part)
    if report.is_settled(pointer):
        return
    refused = _refused(error)
    if refused:
        what, _, do = refused.partition(". ")
        report.wrong(pointer, "wrong-value", what, f"{do}.")
    elif error.validator in ("anyOf", "oneOf"):
        _explain_choice(error, pointer, report)
    elif error.validator == "required":
        _explain_missing(error, pointer, report)
    elif error.validator == "additionalProperties":
        _explain_unknown(error, pointer, report)
    elif list(error.relative_schema_path)[-2:-1] == ["propertyNames"]:
        what, do = _RULES.get(str(error.validator), _other)(error)
        report.wrong_key(child(pointer, str(error.instance)), "wrong-value", f"this key {what}", do)
    else:
        what, do = _RULES.get(str(error.validator), _other)(error)
        report.wrong(pointer, "wrong-value", what, do)


def _refused(error: ValidationError) -> str | None:
    """Return the schema's own words for a value it refuses: for this very one, for a key in it, or for any (``*``)."""
    words: Mapping[str, str] = _schema(error).get("x-hub-refused", {})
    names: Iterable[Any] = error.instance if isinstance(error.instance, dict) else [error.instance]
    return next((words[name] for name in names if isinstance(name, str) and name in words), words.get("*"))


def _explain_choice(error: ValidationError, pointer: str, report: Report) -> None:
    """Explain the one alternative the operator seems to have meant; name them all where there is none such."""
    branches: dict[int, list[ValidationError]] = {}
    for cause in error.context or ():
        branches.setdefault(int(cause.relative_schema_path[0]), []).append(cause)
    meant = [causes for causes in branches.values() if not any(_is_other_kind(cause) for cause in causes)]
    if meant:
        for cause in min(meant, key=len):
            _explain(cause, report)
        return
    kinds = [
        kind for causes in branches.values() for cause in causes if _is_other_kind(cause) for kind in _kinds(cause)
    ]
    what, do = _of_kinds(error, list(dict.fromkeys(kinds)))
    report.wrong(pointer, "wrong-value", what, do)


def _is_other_kind(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path


def _explain_missing(error: ValidationError, pointer: str, report: Report) -> None:
    known = _schema(error).get("properties", {})
    for key in _rule(error):
        if key not in _found_in(error):
            examples = known.get(key, {}).get("examples")
            hint = f", for example {key}: {as_written(examples[0])}" if examples else ""
            report.misses(pointer, key, f"Add {key}{hint or '; docs/routes.md says what it means'}.")


def _explain_unknown(error: ValidationError, pointer: str, report: Report) -> None:
    known = list(_schema(error).get("properties", {}))
    patterns = _schema(error).get("patternProperties", {})
    for key, value in _found_in(error).items():
        if key in known or any(re.search(pattern, key) for pattern in patterns):
            continue
        guess, place = nearest(key, known), report.places.get(child(pointer, key))
        # A value whose colon was forgotten reads as a key, and may be a secret: only what looks like a key is shown.
        if _PLAIN_KEY.fullmatch(key) and (guess or value is not None):
            report.wrong_key(child(pointer, key), "unknown-key", f"unknown key {key}", _allowed(guess, known))
        else:
            do = f"Check whether a colon is missing. {_allowed(guess, known)}"
            report.wrong_key(pointer, "unknown-key", "unknown key", do, place=place)


def _allowed(guess: str, known: Iterable[str]) -> str:
    return f"{guess}Allowed here: {listing(known)}."


def _type(error: ValidationError) -> tuple[str, str]:
    return _of_kinds(error, _kinds(error))


def _of_kinds(error: ValidationError, kinds: list[str]) -> tuple[str, str]:
    do = _like(error)
    if "a text" in kinds and isinstance(error.instance, (bool, int, Decimal)):
        do = "Put it in quotes."
    elif kinds == ["a mapping"]:
        do = "Write keys with their values, indented below it."
    return f"must be {' or '.join(kinds) or 'something else'}{_found(error.instance)}", do


def _kinds(error: ValidationError) -> list[str]:
    wanted = _rule(error)
    return [_KINDS[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted) if kind != "null"]


def _found(value: Any) -> str:
    kinds = (("null", type(None)), ("boolean", bool), ("number", (int, Decimal)), ("object", dict), ("array", list))
    kind = next((name for name, types in kinds if isinstance(value, types)), "string")
    return ", and is empty" if kind == "null" else f", not {_KINDS[kind]}"


def _enum(error: ValidationError) -> tuple[str, str]:
    allowed = [as_written(value) for value in _rule(error) if value is not None]
    guess = nearest(error.instance, allowed) if isinstance(error.instance, str) else ""
    return f"must be {'one of: ' if len(allowed) > 1 else ''}{listing(allowed)}", guess.strip() or "Write it so."


def _const(error: ValidationError) -> tuple[str, str]:
    quotes = ", without quotes" if isinstance(error.instance, str) and not isinstance(_rule(error), str) else ""
    return f"must be {as_written(_rule(error))}", f"Write {as_written(_rule(error))}{quotes}."


def _pattern(error: ValidationError) -> tuple[str, str]:
    form = _schema(error).get("x-hub-form")
    return "has the wrong form", f"Write {form}." if form else _like(error)


def _min_length(error: ValidationError) -> tuple[str, str]:
    if not error.instance:
        return "is empty", _like(error)
    return f"must have at least {_rule(error)} characters", _like(error)


def _other(error: ValidationError) -> tuple[str, str]:
    return f"is not allowed (rule {error.validator} of the schema)", _like(error)


def _says(text: str) -> Callable[[ValidationError], tuple[str, str]]:
    return lambda error: (text.format(as_written(_rule(error))), _like(error))


_RULES: Mapping[str, Callable[[ValidationError], tuple[str, str]]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minLength": _min_length,
    "maxLength": _says("must have at most {} characters"),
    "minimum": _says("must be at least {}"),
    "maximum": _says("must be at most {}"),
    "exclusiveMinimum": _says("must be more than {}"),
    "exclusiveMaximum": _says("must be less than {}"),
    "multipleOf": _says("must be a multiple of {}"),
    "minItems": _says("must have at least {} in its list"),
    "maxItems": _says("must have at most {} in its list"),
    "minProperties": _says("must have at least {} in it"),
    "maxProperties": _says("must have at most {} in it"),
    "uniqueItems": _says("must not hold the same value twice"),
}


def _schema(error: Any) -> dict[str, Any]:
    return error.schema if isinstance(error.schema, dict) else {}


def _found_in(error: Any) -> dict[str, Any]:
    """Return the mapping that a rule about keys was broken in."""
    return dict(error.instance)


def _rule(error: Any) -> Any:
    """Return what the schema's keyword demands; jsonschema's types allow an error that has none."""
    return error.validator_value


def _like(error: ValidationError) -> str:
    """Return an example of what may stand there."""
    for schema in (_schema(error), _schema(error.parent) if error.parent is not None else {}):
        if schema.get("examples"):
            return f"Write it like {as_written(schema['examples'][0])}."
    return "docs/routes.md says what may stand here."
