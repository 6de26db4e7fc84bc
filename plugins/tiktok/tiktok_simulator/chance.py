"""Chance that comes out the same for the same seed."""

from __future__ import annotations

import random


def repeatable(seed: int) -> random.Random:
    """A source of random numbers for demos and faults."""
    return random.Random(seed)  # noqa: S311 - it must repeat, it guards nothing
