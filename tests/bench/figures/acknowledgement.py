"""How long a sender waits at half the rate, beside this disk's own fdatasync."""
import disk
from figures import ingest
from table import Row, ms, number, pair, percentile

LINES = 100
THREADS = 8
AIM = 3


def rate(bench):
    """Half of the rate that was reached; measured now if nothing has measured it yet."""
    if bench.rate is None:
        bench.say("the rate is not known yet")
        kept = len(bench.notes)
        ingest.measure(bench)
        del bench.notes[kept:]
    return bench.rate


def measure(bench):
    """Requests at equal distances into a fresh folder; the disk alone before and after."""
    pace = rate(bench)
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
    reached = told["taken"] / wall
    due, sent = told["latencies"], told["from_sending"]
    p50, p99 = percentile(due, 50), percentile(due, 99)
    d50, d99 = percentile(alone, 50), percentile(alone, 99)
    bench.note(f"Acknowledgement: {number(pace)} events a second asked for (half of the smaller of events per CPU-second "
               f"and events per second), {number(reached)} sent in {number(told['requests'])} requests of {LINES} events "
               f"({size / 1024:.0f} KiB) on {THREADS} connections, {cpu / wall * 100:.0f} % of a core used. Counted from the "
               f"moment a request was due; from its sending {pair(sent)}. The disk alone: {len(alone)} appends of the same "
               f"size, half of them before and half after. p99 is {p99 / d50:.1f} median syncs.")
    return [
        Row("acknowledgement at half the rate, p50", ms(p50), f"fdatasync {ms(d50)}", f"{p50 / d50:.1f} syncs"),
        Row("acknowledgement at half the rate, p99", ms(p99), f"fdatasync {ms(d99)}", f"{p99 / d99:.1f} syncs",
            f"within {AIM} syncs", p99 <= AIM * d99),
    ]
