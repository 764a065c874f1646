"""Benchmarks: ratios against hand-written code, side by side in one run. See README.md."""
