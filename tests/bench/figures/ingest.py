"""Events per CPU-second from HTTP to durable, folded and visible in SQL; the same with all of the lake's
work; the memory after it. With made-up calls."""
import loading
from table import Row, number

AIM, ALL_IN_AIM, MEMORY_AIM = 400_000, 200_000, 400


def measure(bench):
    """The made-up calls; what comes of it is the rate at which other figures load the server."""
    feed = bench.made_up(bench.sizes.contacts)
    rows, told = lines(bench, feed, "")
    bench.rate = min(feed.lines / told["cpu"], feed.lines / told["wall"]) / 2
    resident, most, anonymous = told["memory"]
    return [*rows, Row(f"resident memory after {number(feed.lines)} events",
                       f"{resident:.0f} MiB ({most:.0f} at most; {anonymous:.0f} anonymous)", "", "",
                       f"under {MEMORY_AIM} MB", most * 1.048576 < MEMORY_AIM)]


def lines(bench, feed, of):
    """Rows and a note for one feed, beside both peers."""
    told = loading.ours(bench, feed)
    data = bench.folder("all-in")
    whole = loading.all_in(bench, feed, data)
    peers, words = loading.peers(bench, feed)
    seconds, stopping = told["stop"]
    bench.note(f"Ingest{of}. {feed.about()}, {bench.sizes.connections} connections. Visible: usual settings, "
               f"{told['cpu']:.2f} CPU s in {told['wall']:.2f} s; a clean stop then took {seconds:.2f} s and {stopping:.2f} CPU s. "
               f"All-in: {whole['note']}.")
    bench.note(f"Its peers: {words}. They are told the columns, parse and store; chdb orders by source and time, ZSTD(3). "
               f"They do not sync each request, know repeats, keep the bytes that arrived, or make contacts; DuckDB ends with a "
               f"checkpoint, chdb leaves its parts in the page cache.")

    def rate(told):
        return feed.lines / told["cpu"]

    def clock(told):
        return feed.lines / told["wall"]

    ours, everything = feed.lines / told["cpu"], feed.lines / whole["cpu"]
    return [
        Row(f"events per CPU-second{of}, HTTP to visible in SQL", number(ours), loading.shown(peers, rate),
            loading.ratio(peers, rate, ours), number(AIM), ours >= AIM),
        Row(f"events per CPU-second{of}, all-in with lake, compaction, checkpoints", number(everything),
            loading.shown(peers, rate), loading.ratio(peers, rate, everything), number(ALL_IN_AIM), everything >= ALL_IN_AIM),
        Row(f"events per second{of} by the clock, until visible", number(feed.lines / told["wall"]),
            loading.shown(peers, clock), loading.ratio(peers, clock, feed.lines / told["wall"])),
    ], told
