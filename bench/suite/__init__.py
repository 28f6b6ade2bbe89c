"""Runs benchmarks one at a time and keeps what they say, as bench/results/CASE.json."""
