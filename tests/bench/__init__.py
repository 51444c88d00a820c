"""Benchmarks: ours and its limit in one run. `python -m tests.bench [NAME…] [--quick]`."""
