"""Run every benchmark: `python -m bench [--orders N]`; prints `figure: value` lines, writes bench/results.json."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import calls, freshness, orders, startup


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    wanted = parser.parse_args()
    figures: dict[str, float] = {}
    measures: tuple[Callable[[], Mapping[str, float]], ...] = (
        startup.measure,
        lambda: orders.measure(wanted.orders, max(wanted.orders // 10, 10)),
        calls.measure_stock,
        calls.measure_parcels,
        calls.measure_quiet,
        freshness.measure,
    )
    for measure in measures:
        for name, value in measure().items():
            print(f"{name}: {value:.3f}", flush=True)
            figures[name] = value
    (Path(__file__).parent / "results.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
