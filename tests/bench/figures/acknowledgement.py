"""How long a sender waits at a given rate and at half the rate reached, beside this disk's own fdatasync."""
import disk
from figures import ingest
from table import Row, ms, number, pair, percentile

LINES = 100
THREADS = 8
AIM = 2.5


def half(bench):
    """Half of the rate that was reached; measured now if nothing has measured it yet."""
    if bench.rate is None:
        bench.say("the rate is not known yet: a load with the usual settings")
        feed = bench.made_up(bench.sizes.contacts)
        told = ingest.loading.ours(bench, feed)
        bench.rate = min(feed.lines / told["cpu"], feed.lines / told["wall"]) / 2
    return bench.rate


def rates(bench):
    """The rates at which delays are looked at, by their names."""
    return {f"at {number(bench.sizes.pace)} events/s": bench.sizes.pace, "at half the rate": half(bench)}


def measure(bench):
    """Both rates, a fresh folder each."""
    return [row for name, pace in rates(bench).items() for row in at(bench, name, pace)]


def at(bench, name, pace):
    """Requests at equal distances; the disk alone before and after."""
    seconds = bench.sizes.seconds
    files = bench.files(bench.sizes.report_contacts)
    with bench.serve(bench.folder("acknowledgement")) as server:
        size = LINES * files[0].bytes // files[0].lines
        alone = disk.syncs(server.data, size)
        bench.say(f"{number(pace)} events a second for {seconds} s, {LINES} a request")
        before = server.cpu()
        told = bench.loaded(server, "paced", server.port, THREADS, pace, seconds, LINES, *[f.path for f in files])
        cpu = server.cpu() - before
        alone += disk.syncs(server.data, size)
    wall = told["ended"] - told["begun"]
    due, sent = told["latencies"], told["from_sending"]
    p50, p99 = percentile(due, 50), percentile(due, 99)
    d50, d99 = percentile(alone, 50), percentile(alone, 99)
    bench.note(f"Acknowledgement {name}: {number(pace)} events a second asked for, {number(told['taken'] / wall)} sent in "
               f"{number(told['requests'])} requests of {LINES} events ({size / 1024:.0f} KiB) on {THREADS} connections, "
               f"{cpu / wall * 100:.0f} % of a core used. Counted from the moment a request was due; from its sending {pair(sent)}. "
               f"The disk alone: {len(alone)} appends of the same size, half of them before and half after. "
               f"p99 is {p99 / d50:.1f} median syncs. Half the rate is half of the smaller of events per CPU-second and by the clock.")
    return [
        Row(f"acknowledgement {name}, p50", ms(p50), f"fdatasync {ms(d50)}", f"{p50 / d50:.1f} syncs"),
        Row(f"acknowledgement {name}, p99", ms(p99), f"fdatasync {ms(d99)}", f"{p99 / d99:.1f} syncs",
            f"within {AIM} syncs", p99 <= AIM * d99),
    ]
