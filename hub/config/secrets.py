"""Secret settings: never in the route file, always from the environment or a file of their own."""

from __future__ import annotations

from collections.abc import Mapping

from hub.config.faults import Report, printable
from hub.config.marks import Marked
from hub.config.references import BARRED, look_up, only_reference

MAX_SECRET_BYTES = 64 * 1024
STAND_IN = "not-available"
SETTING_DEPTH = 4  # /connections/ID/settings/NAME; what lies deeper cannot be stored


def is_stored(value: object) -> bool:
    """Say whether a setting's secret is kept by the hub: ``{stored: true}``."""
    return isinstance(value, dict) and list(value) == ["stored"] and value["stored"] is True


def read_secret(secret: Marked, variable: str, environ: Mapping[str, str], report: Report) -> str | None:
    """Return the secret a setting points at; None, and a Fault, where there is none to be had.

    Args:
        variable: the environment variable to propose where the secret stands in the file itself.
    """
    value = secret.value
    if is_stored(value) and secret.pointer.count("/") == SETTING_DEPTH:
        return STAND_IN
    if isinstance(value, dict) and list(value) == ["file"] and isinstance(value["file"], str):
        return _from_file(value["file"], secret.pointer, report)
    if isinstance(value, (dict, list)) or value in (None, ""):
        what, do = "must point at a secret", f"Write ${{{variable}}}, {{file: PATH}} or {{stored: true}}."
        report.wrong(secret.pointer, "wrong-value", what, do)
        return None
    name = only_reference(value) if isinstance(value, str) else None
    if name is None:
        what = "a secret must not stand in the route file"
        do = f"Set {variable} where the hub runs and write ${{{variable}}} here, or write {{file: PATH}}; or "
        do += "{stored: true}, and give it to the hub: hub connect ID."
        report.wrong(secret.pointer, "secret-literal", what, do)
        return None
    found = look_up(name, environ, report, secret.pointer)
    if found == "":
        what = f"the variable {printable(name)} is empty"
        report.wrong(secret.pointer, "secret-unreadable", what, f"Set {printable(name)} to the secret.")
    return found or None


def _from_file(written: str, pointer: str, report: Report) -> str | None:
    place = f"{pointer}/file"
    secret = None if report.is_settled(place) else _read(written, place, report)
    if secret is None:
        report.settled.add(pointer)
    else:
        report.hidden.add(secret)
    return secret


def _read(written: str, place: str, report: Report) -> str | None:
    shown = report.shown(place, written)
    path = report.path.parent / written
    try:
        # A named pipe would keep the hub waiting.
        text = path.read_bytes()[: MAX_SECRET_BYTES + 1].decode("utf-8") if path.is_file() else None
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else _reason(error)
        report.wrong(place, "secret-unreadable", f"the file {shown} cannot be read ({reason})", _DO)
        return None
    if text is None or len(text) > MAX_SECRET_BYTES:
        report.wrong(place, "secret-unreadable", f"{shown} is not a file that holds one secret", _DO)
        return None
    secret = text.rstrip("\r\n")
    if not secret or BARRED.search(secret):
        report.wrong(place, "secret-unreadable", f"the file {shown} is empty or holds no text", _DO)
        return None
    if mode & 0o077:
        report.warn(
            place, "secret-exposed", f"other users of this machine can read the file {shown}", f"Run: chmod 600 {shown}"
        )
    return secret


_DO = "Write the secret, and nothing else, into that file; its path is relative to the route file."


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8"
    return (error.strerror if isinstance(error, OSError) else None) or "not a possible path"
