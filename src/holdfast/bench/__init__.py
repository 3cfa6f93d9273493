"""Benchmarks: each figure stands beside a floor that the same run measured, and beside its aim where it has one."""
