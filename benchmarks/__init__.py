"""Measurements that take too long for a notebook: `python -m benchmarks NAME`, tables in `benchmarks/results/`."""
