"""A day of a centre with a thousand seats, replayed as fast as it is taken, on two cores."""
import json
import os
import subprocess

import loading
from server import Failed
from table import Row, number

CORES = 2


def seats(truth):
    """Agents who were there at some moment, and the most at once."""
    edges, agents = [], set()
    for path in (truth / "agent_intervals").iterdir():
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if row["state"] not in ("offline", "unknown") and row["ended_at"]:
                edges += [(row["started_at"], 1), (row["ended_at"], -1)]
                agents.add(row["agent"])
    most = now = 0
    for _, step in sorted(edges):
        now += step
        most = max(most, now)
    return len(agents), most


def measure(bench):
    """The day with mild disorder and poison; then every table is held against the truth."""
    feed = bench.simulated(bench.sizes.day, "--days", "1", "--disorder", "mild")
    agents, most = seats(feed.truth / "truth")
    cores = os.sched_getaffinity(0)
    # Server and sender together: what is started from here on inherits it.
    os.sched_setaffinity(0, sorted(cores)[:CORES])
    try:
        with bench.serve(bench.folder("day")) as server:
            bench.say(f"sending {feed.about()}")
            cpu, wall = loading.sent(bench, server, feed)
            bench.say(f"visible after {wall:.1f} s; comparing with the truth")
            done = subprocess.run([bench.binary, "verify", "--truth", feed.truth, "--to", f"http://127.0.0.1:{server.port}",
                                   "--wait", "240"], capture_output=True, text=True, timeout=600)
            resident = server.memory()[1]
    finally:
        os.sched_setaffinity(0, cores)
    if done.returncode != 0:
        raise Failed("verify: " + " ".join((done.stdout + done.stderr).split())[-100:])
    bench.note(f"Day. {feed.about()}, of them {number(feed.refused)} no events and {number(feed.conflicts)} with other words under a "
               f"known id; {number(agents)} agents, {number(most)} at once in the busiest moment. Sent over "
               f"{bench.sizes.connections} connections, server and sender on the same {min(CORES, len(cores))} cores: {cpu:.1f} CPU s of the "
               f"server, {resident:.0f} MiB resident at most; {86400 / wall:,.0f} times as fast as it happened. Afterwards "
               f"`callboard verify` found all tables equal to the truth; that, and the minute after which silence counts, are not in it.")
    return [Row(f"a day of {number(most)} seats replayed, {number(feed.lines)} events, until visible", f"{wall:.1f} s",
                "", f"{86400 / wall:,.0f} × real time")]
