"""Ingest with ten times the simulator's events: scale M of its specification, a million contacts."""
from figures import ingest


def measure(bench):
    """Only asked for by name or with --long."""
    return ingest.lines(bench, bench.simulated(bench.sizes.simulated_m, "--disorder", "mild", "--poison", "0"), ", simulated at scale M")[0]
