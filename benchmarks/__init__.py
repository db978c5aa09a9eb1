"""Benchmarks of Nightpress: one module per question. README.md holds the figures."""
