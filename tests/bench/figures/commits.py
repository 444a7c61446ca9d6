"""What a commit of the lake costs after many commits, beside what the first ones cost."""
import time

import lake
from figures import outside
from server import Failed
from table import Row, ms, number

AIM = 1.2
BIN = 100
#: A flush as soon as there is something to write; contacts settle within a few flushes.
SETTINGS = '[lake]\nflush = "10ms"\nsettle = "1s"\n'


def measure(bench):
    """One call after the other, each sent when the flush of the one before has come to the lake."""
    sizes = bench.sizes
    with bench.serve(bench.folder("commits"), SETTINGS) as server:
        looks = {table: lake.Look(server.data, table) for table in lake.tables(server.data)}
        for look in looks.values():
            look.moved()
        records = looks["records"]
        first = last = records.version
        began, marks = time.monotonic(), [(server.cpu(), time.monotonic())]
        count = 0
        bench.say(f"up to {sizes.commits:,} commits to records, at most {sizes.commit_seconds} s")
        while records.version - first < sizes.commits and time.monotonic() - began < sizes.commit_seconds:
            outside.call(server, f"call-{count}")
            count += 1
            waited = time.monotonic()
            while not records.moved():
                if time.monotonic() - waited > 60:
                    raise Failed("no flush came within 60 s of an event")
                time.sleep(0.001)
            if records.version - last >= BIN:
                last = records.version
                marks.append((server.cpu(), time.monotonic()))
        seconds = time.monotonic() - began
        for look in looks.values():
            look.moved()
        others = sum(look.version for look in looks.values()) - records.version
        resident = server.memory()[0]
    costs = [(b[0] - a[0]) / BIN for a, b in zip(marks, marks[1:])]
    if len(costs) < 2:
        raise Failed(f"only {records.version - first} commits came in {seconds:.0f} s")
    walls = [(b[1] - a[1]) / BIN for a, b in zip(marks, marks[1:])]
    commits = records.version - first
    ratio = costs[-1] / costs[0]
    parts = ", ".join(ms(sum(costs[i:j]) / (j - i)) for i, j in tenths(len(costs)))
    bench.note(f"Commits: {number(commits)} to the table records in {seconds:.0f} s, beside them {number(others)} to other tables; "
               f"{number(count)} calls of two events, one a flush, {' '.join(SETTINGS.split())}, otherwise usual settings, so "
               f"upkeep every five minutes. CPU of the whole server for each commit to records, in tenths of the run: {parts}. "
               f"By the clock the first hundred {ms(walls[0])}, the last {ms(walls[-1])}. {resident:.0f} MiB resident at the end."
               + ("" if commits >= sizes.commits else f" More than {number(commits)} did not fit into {sizes.commit_seconds} s."))
    return [Row(f"CPU a flush after {number(commits)} commits, last hundred beside first hundred", ms(costs[-1]),
                f"first hundred {ms(costs[0])}", f"{ratio:.2f}", f"at most {AIM}", ratio <= AIM)]


def tenths(count):
    """Ranges of about a tenth each, none of them empty."""
    parts = min(10, count)
    edges = [count * n // parts for n in range(parts + 1)]
    return list(zip(edges, edges[1:]))
