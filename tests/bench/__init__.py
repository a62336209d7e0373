"""Benchmarks: run as modules (``python -m tests.bench.NAME``); they print figures and assert nothing."""
