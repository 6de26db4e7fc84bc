"""A plan as a file keeps it: every write that one pass would make, and how two plans differ."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.contract import HubError
from hub.engine.noted import PlannedWrite

FORMAT = 1
SHOWN = 20  # so many differences are named


@dataclass(frozen=True, slots=True)
class Plan:
    """What one pass would write, over which ledger and under which route file (digests); ``route``: only that one's."""

    made_at: datetime
    route: str | None
    route_file: str
    ledger: str
    writes: tuple[PlannedWrite, ...]


def digest_of(text: str) -> str:
    """Return a digest that says whether two texts are the same."""
    return hashlib.sha256(text.encode()).hexdigest()


def facts(plan: Plan) -> dict[str, Any]:
    """Return a plan as its file holds it."""
    return {
        "hub_plan": FORMAT,
        "made_at": plan.made_at.isoformat(),
        "route": plan.route,
        "route_file": plan.route_file,
        "ledger": plan.ledger,
        "writes": [write_facts(each) for each in plan.writes],
    }


def write_facts(write: PlannedWrite) -> dict[str, Any]:
    """Return one write for programs."""
    return {**dataclasses.asdict(write), "digest": write.digest}


def parse(text: str, where: str) -> Plan:
    """Read a plan back.

    Raises:
        HubError: it is none, or of another version, or somebody edited it.
    """
    try:
        found = json.loads(text)
        if not isinstance(found, dict) or found.get("hub_plan") != FORMAT:
            raise ValueError
        writes = tuple(_write(each) for each in found["writes"])
        made_at = datetime.fromisoformat(found["made_at"])
        plan = Plan(made_at, found["route"], found["route_file"], found["ledger"], writes)
    except (ValueError, KeyError, TypeError) as error:
        what = "this is not a plan of this version of the hub, or somebody has edited it"
        raise HubError("plan-unreadable", what, where=where, do="Make one: hub plan --out FILE") from error
    return plan


def _write(found: Mapping[str, Any]) -> PlannedWrite:
    names = [each.name for each in dataclasses.fields(PlannedWrite)]
    write = PlannedWrite(**{name: found[name] for name in names})
    if write.digest != found["digest"]:
        raise ValueError
    return write


def refuse_stale(old: Plan, new: Plan, where: str) -> None:
    """Compare what a plan says with what would be written now.

    Raises:
        HubError: they differ; it names what was added, removed and changed.
    """
    found = differences(old.writes, new.writes)
    if old.ledger != new.ledger:
        found = ["it was made for another database", *found]
    if not found:
        return
    if old.route_file != new.route_file:
        found = ["the route file was changed", *found]
    shown = "; ".join(found[:SHOWN]) + (f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
    raise HubError(
        "plan-stale",
        f"what would be written is not what was planned {old.made_at:%Y-%m-%d %H:%M:%SZ}: {shown}",
        where=where,
        do=f"Nothing was written. Look at it again: hub plan --out {where}",
    )


def differences(old: Sequence[PlannedWrite], new: Sequence[PlannedWrite]) -> list[str]:
    """Name the writes that are in one plan only, or in both and not the same."""
    was, now = _by_name(old), _by_name(new)
    found = [f"added: {name}" for name in now if name not in was]
    found += [f"removed: {name}" for name in was if name not in now]
    for name in (name for name in was if name in now):
        before, after = (Counter(each.digest for each in side[name]) for side in (was, now))
        if before != after:
            what = _changed(was[name][-1].detail, now[name][-1].detail)
            found.append(f"changed: {name}" + (f", {what}" if what else ""))
    return found


def _by_name(writes: Sequence[PlannedWrite]) -> dict[str, list[PlannedWrite]]:
    found: dict[str, list[PlannedWrite]] = {}
    for each in writes:
        found.setdefault(each.name, []).append(each)
    return found


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    names = [name for name in after if before.get(name) != after[name]]
    return ", ".join(names)
