"""Events of made-up calls as NDJSON: the same number gives the same bytes, everywhere.

A week of calls in 60 queues with 1,500 agents. Of 20 calls three leave the queue unanswered (2 events),
fourteen are answered (4), three have a wrap-up too (6): four events a call. They stand in order of
time, so that calls overlap as they do at a telephone system's door.
"""
import dataclasses
import heapq
import pathlib
import random

QUEUES = 60
AGENTS = 1500
SOURCE = "/bench/acd"
WEEK = 7 * 86_400_000
MASK = (1 << 64) - 1


@dataclasses.dataclass
class File:
    """One request's worth of events, with what there must be once all files up to it were taken."""

    path: pathlib.Path
    lines: int
    bytes: int
    records: int
    contacts: int


def stamp(ms):
    """Milliseconds since Monday 2026-03-02, as RFC 3339."""
    day, rest = divmod(ms, 86_400_000)
    s, ms = divmod(rest, 1000)
    return f"2026-03-{2 + day:02d}T{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}.{ms:03d}Z"


def contact_id(n):
    """Looks random, so that it compresses as ids do; never the same for two numbers."""
    n = (n * 0x9E3779B97F4A7C15 + 0x632BE59BD9B4E019) & MASK
    n = ((n ^ (n >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    return f"{n ^ (n >> 27):016x}"


def call(n, at, draw, queue):
    """The events of one call that enters its queue at `at`: (time, order, line)."""
    cid = contact_id(n)
    out = []

    def event(verb, time, data):
        k = len(out)
        out.append((time, n * 8 + k, (
            f'{{"specversion":"1.0","id":"{cid}-{k}","source":"{SOURCE}","type":"callboard.segment.{verb}",'
            f'"time":"{stamp(time)}","data":{{"contact_id":"{cid}",{data}}}}}\n').encode()))

    event("started", at, f'"segment_id":"q","kind":"queue","queue":"q{queue:02d}"')
    kind = n % 20
    if kind < 3:
        wait = (int(draw() * 4_000), 6_000 + int(draw() * 90_000), 120_000)[kind]
        event("ended", at + wait, f'"segment_id":"q","outcome":"{("abandoned", "abandoned", "timeout")[kind]}"')
        return out
    left = at + int(draw() * draw() * 60_000)
    agent = f"a{int(draw() * AGENTS):04d}"
    event("ended", left, '"segment_id":"q","outcome":"answered"')
    event("started", left, f'"segment_id":"t","kind":"talk","queue":"q{queue:02d}","agent":"{agent}","parent":"q"')
    end = left + 20_000 + int(draw() * draw() * 600_000)
    event("ended", end, '"segment_id":"t","outcome":"completed"')
    if kind > 16:
        event("started", end, f'"segment_id":"w","kind":"wrapup","queue":"q{queue:02d}","agent":"{agent}","parent":"t"')
        event("ended", end + 5_000 + int(draw() * 60_000), '"segment_id":"w","outcome":"completed"')
    return out


def calls(contacts, seed=1):
    """All events in order of time, each with whether it is a call's first."""
    rng = random.Random(seed)
    draw = rng.random
    weights = [1 / (q + 1) for q in range(QUEUES)]
    queues = rng.choices(range(QUEUES), weights, k=contacts)
    # The last call must still fit into the week.
    starts = sorted(int(draw() * (WEEK - 1_200_000)) for _ in range(contacts))
    waiting = []
    for n, (at, queue) in enumerate(zip(starts, queues)):
        while waiting and waiting[0][0] < at:
            yield heapq.heappop(waiting)[2], False
        first, *rest = call(n, at, draw, queue)
        for event in rest:
            heapq.heappush(waiting, event)
        yield first[2], True
    while waiting:
        yield heapq.heappop(waiting)[2], False


def write(folder, contacts, size=2 << 20, tell=lambda done: None):
    """Writes the events of so many calls into files of about `size` bytes; gives the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files, lines, held, records, begun = [], [], 0, 0, 0

    def close():
        path = folder / f"{len(files):05d}.ndjson"
        path.write_bytes(b"".join(lines))
        files.append(File(path, len(lines), held, records, begun))

    for line, first in calls(contacts):
        lines.append(line)
        held += len(line)
        records += 1
        begun += first
        if held >= size:
            close()
            lines, held = [], 0
            tell(begun)
    if lines:
        close()
    return files
