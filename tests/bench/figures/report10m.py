"""The queue report over ten times as many contacts: about as many minutes as there are millions, and more."""
from figures import report


def measure(bench):
    """Only asked for by name or with --long."""
    return report.over(bench, bench.sizes.many_contacts)
