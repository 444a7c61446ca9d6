"""What a commit of the lake costs after many commits, beside what the first ones cost."""
import time

import lake
from figures import outside
from server import Failed
from table import Row, ms, number

AIM = 1.2
BIN = 100
#: Flushes before the first hundred: until contacts settle and every table has been written.
BEFORE = 50
#: A flush as soon as there is something to write; settling and upkeep as often as that asks for, since
#: a usual minute is two flushes.
SETTINGS = '[lake]\nflush = "10ms"\nsettle = "1s"\nupkeep = "2s"\n'


def flushed(server, records, number):
    """Sends one call and waits until the flush that writes it has come to the lake."""
    outside.call(server, f"call-{number}")
    records.wait()


def measure(bench):
    """One call after the other, each sent when the flush of the one before has come to the lake."""
    sizes = bench.sizes
    with bench.serve(bench.folder("commits"), SETTINGS) as server:
        looks = {table: lake.Look(server.data, table) for table in lake.tables(server.data)}
        for look in looks.values():
            look.moved()
        records = looks["records"]
        for n in range(BEFORE):
            flushed(server, records, n)
        first, flushes, commits = total(looks), 0, 0
        begun = time.monotonic()
        marks = [(server.cpu(), begun)]
        bench.say(f"up to {sizes.commits:,} commits, at most {sizes.commit_seconds} s")
        while commits < sizes.commits and time.monotonic() - begun < sizes.commit_seconds:
            flushed(server, records, BEFORE + flushes)
            flushes += 1
            if flushes % BIN == 0:
                marks.append((server.cpu(), time.monotonic()))
                commits = total(looks) - first
        seconds = time.monotonic() - begun
        commits = total(looks) - first
        resident = server.memory()[0]
    costs = [(b[0] - a[0]) / BIN for a, b in zip(marks, marks[1:])]
    if len(costs) < 2:
        raise Failed(f"only {flushes} flushes came in {seconds:.0f} s")
    walls = [(b[1] - a[1]) / BIN for a, b in zip(marks, marks[1:])]
    ratio = costs[-1] / costs[0]
    parts = ", ".join(ms(sum(costs[i:j]) / (j - i)) for i, j in tenths(len(costs)))
    bench.note(f"Commits: {number(commits)} of all tables, upkeep's included, counted in the Delta logs; {number(flushes)} flushes of a call "
               f"with two events each in {seconds:.0f} s, after {BEFORE} that are not counted. {' '.join(SETTINGS.split())}. CPU of the "
               f"whole server for each flush, in tenths of the run: {parts}. By the clock the first hundred {ms(walls[0])}, the last "
               f"{ms(walls[-1])}. {resident:.0f} MiB resident at the end."
               + ("" if commits >= sizes.commits else f" {number(sizes.commits)} did not fit into {sizes.commit_seconds} s."))
    return [Row(f"CPU a flush over {number(commits)} commits, last hundred flushes beside first hundred", ms(costs[-1]),
                f"first hundred {ms(costs[0])}", f"{ratio:.2f}", f"at most {AIM}", ratio <= AIM)]


def total(looks):
    """Commits of all tables so far."""
    for look in looks.values():
        look.moved()
    return sum(look.version for look in looks.values())


def tenths(count):
    """Ranges of about a tenth each, none of them empty."""
    parts = min(10, count)
    edges = [count * n // parts for n in range(parts + 1)]
    return list(zip(edges, edges[1:]))
