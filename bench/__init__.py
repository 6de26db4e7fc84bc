"""Benchmarks: each figure says what it is measured against; ratios come from one run."""
