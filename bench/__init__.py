"""Benchmarks: what tiewatch costs, measured beside what a good engineer would write first."""
