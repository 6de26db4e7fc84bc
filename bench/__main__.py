"""Run every benchmark: `python -m bench [--orders N] [--ledger N] [NAME ...]`.

Prints `figure: value` lines, writes bench/results.json.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import budget, calls, freshness, orders, scale, startup, workers
from bench.ledger import Size


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000, help="how many the hub carries")
    parser.add_argument("--ledger", type=int, default=1_000_000, help="how many lie in a large ledger")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="only these: startup, orders, calls, budget, freshness, scale, workers"
    )
    wanted = parser.parse_args()
    figures: dict[str, float] = {}
    measures: tuple[tuple[str, Callable[[], Mapping[str, float]]], ...] = (
        ("startup", startup.measure),
        ("orders", lambda: orders.measure(wanted.orders, max(wanted.orders // 10, 10))),
        ("calls", calls.measure_stock),
        ("calls", calls.measure_parcels),
        ("calls", calls.measure_quiet),
        ("budget", budget.measure),
        ("freshness", freshness.measure),
        ("scale", lambda: scale.measure(Size(wanted.ledger, wanted.ledger // 10))),
        ("workers", workers.measure),
    )
    for kind, measure in measures:
        for name, value in measure().items() if not wanted.names or kind in wanted.names else ():
            print(f"{name}: {value:.3f}", flush=True)
            figures[name] = value
    (Path(__file__).parent / "results.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
