"""Makes docs/benchmarks.md and its plots of the results, and of nothing else."""
