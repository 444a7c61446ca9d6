"""Ingest once more, with the events of `callboard simulate` and what goes wrong on their way."""
from figures import ingest


def measure(bench):
    """Mild disorder, no poison: the peers would not go past a line that is no event."""
    return ingest.lines(bench, bench.simulated(bench.sizes.simulated, "--disorder", "mild", "--poison", "0"), ", simulated")[0]
