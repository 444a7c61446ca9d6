"""Events per CPU-second from HTTP to durable, folded and visible in SQL; and the memory after it."""
from server import Failed
from table import Row, number

AIM = 150_000
MEMORY_AIM = 400


def measure(bench):
    """Loads the events into a fresh folder, watches the server's CPU, then stops it cleanly."""
    sizes = bench.sizes
    files = bench.files(sizes.contacts)
    last = files[-1]
    data = bench.folder("ingest")
    with bench.serve(data) as server:
        bench.say(f"sending {last.records:,} events in {len(files)} requests over {sizes.connections} connections")
        before = server.cpu()
        told = bench.send(server, files)
        server.until("select count(*) from contacts", last.contacts)
        visible = server.until("select count(*) from records", last.records)
        cpu, wall = server.cpu() - before, visible - told["begun"]
        resident, most, anonymous = server.memory()
        seconds, stopping = server.stop()
        whole = cpu + stopping
    bench.rate = min(last.records / cpu, last.records / wall) / 2
    size = sum(f.bytes for f in files)
    bench.say(f"{cpu:.1f} CPU s, {wall:.1f} s; clean stop {seconds:.1f} s, {stopping:.1f} CPU s")

    peer = {}
    for threads in (1, 2):
        bench.say(f"DuckDB loads the same files with {threads} thread{'s'[:threads - 1]}")
        told_by = bench.peer(bench.script("duck.py"), "load", threads, bench.folder(f"duck{threads}.db"), files[0].path.parent)
        if (told_by["rows"], told_by["contacts"]) != (last.records, last.contacts):
            raise Failed(f"DuckDB counts {told_by['rows']} events of {told_by['contacts']} contacts")
        peer[threads] = told_by
    best = max(peer.values(), key=lambda p: last.records / p["cpu"])
    theirs = last.records / best["cpu"]
    ours = last.records / cpu
    stored = sum(f.stat().st_size for f in (data / "lake").rglob("*.parquet"))
    bench.note(f"Ingest: {number(last.records)} events of {number(last.contacts)} contacts, {size / 2**20:.0f} MiB, "
               f"{size / last.records:.0f} bytes an event, {len(files)} requests, {sizes.connections} connections. "
               f"Server {cpu:.2f} CPU s in {wall:.2f} s until visible; a clean stop then took {seconds:.2f} s and "
               f"{stopping:.2f} CPU s more and left {stored / 2**20:.0f} MiB of Parquet, all tables together.")
    bench.note("DuckDB: " + "; ".join(
        f"{t} thread{'s'[:t - 1]} {p['cpu']:.2f} CPU s, {p['wall']:.2f} s, {p['bytes'] / 2**20:.0f} MiB"
        for t, p in peer.items()) + ". It parses and stores; it does not sync each request, know repeats, or make contacts.")
    return [
        Row("events per CPU-second, HTTP to visible in SQL", number(ours), f"DuckDB {number(theirs)}",
            f"{ours / theirs:.2f}", number(AIM), ours >= AIM),
        Row("the same, with everything written to the lake by a clean stop", number(last.records / whole),
            f"DuckDB {number(theirs)}", f"{last.records / whole / theirs:.2f}"),
        Row("events per second by the clock, until visible", number(last.records / wall),
            f"DuckDB {number(last.records / best['wall'])}", f"{best['wall'] / wall:.2f}"),
        Row(f"resident memory after {number(last.records)} events",
            f"{resident:.0f} MiB ({most:.0f} at most; {anonymous:.0f} anonymous)", "", "",
            f"under {MEMORY_AIM} MB", most * 1.048576 < MEMORY_AIM),
    ]
