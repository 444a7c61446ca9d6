"""Contacts that begin and end now, so that always the same number is open: a sender of its own process.

    steady.py PORT OPEN RATE SECONDS

RATE events a second, four a contact: it enters a queue, is answered two seconds later, and ends so much
later that OPEN contacts are open at a time. What is due is sent in requests every 50 ms.
"""
import collections
import datetime
import json
import sys
import time

import load
from events import contact_id

STEP = 0.05
ANSWER = 2.0
SOURCE = "/bench/steady"
QUEUES, AGENTS = 60, 5_000


def line(n, k, verb, at, data):
    """Event k of contact n."""
    cid = contact_id(n)
    return (f'{{"specversion":"1.0","id":"{cid}-{k}","source":"{SOURCE}","type":"callboard.segment.{verb}",'
            f'"time":"{at}","data":{{"contact_id":"{cid}",{data}}}}}\n')


def begun(n, at):
    """It enters a queue."""
    return [line(n, 0, "started", at, f'"segment_id":"q","kind":"queue","queue":"q{n % QUEUES:02d}"')]


def answered(n, at):
    """It leaves the queue for an agent."""
    return [line(n, 1, "ended", at, '"segment_id":"q","outcome":"answered"'),
            line(n, 2, "started", at, f'"segment_id":"t","kind":"talk","queue":"q{n % QUEUES:02d}",'
                                      f'"agent":"a{n * 7 % AGENTS:04d}","parent":"q"')]


def ended(n, at):
    """The talk is over."""
    return [line(n, 3, "ended", at, '"segment_id":"t","outcome":"completed"')]


def due(since, until, each):
    """Contacts whose turn comes between two moments, counted from the beginning."""
    return range(max(0, -int(-since // each)), max(0, -int(-until // each)))


def main():
    port, wanted, rate, seconds = (int(a) for a in sys.argv[1:])
    each = 4 / rate
    life = wanted * each
    counts, late = collections.Counter(), 0.0

    def work(_, link):
        nonlocal late
        start, step = time.monotonic(), 0
        while (begin := step * STEP) < seconds:
            late = max(late, time.monotonic() - start - begin)
            time.sleep(max(0.0, start + begin - time.monotonic()))
            now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
            lines = []
            for after, make in ((0.0, begun), (ANSWER, answered), (life, ended)):
                for n in due(begin - after, begin + STEP - after, each):
                    lines += make(n, now)
            load.post(link, "".join(lines).encode(), "steady", counts)
            step += 1

    load.spread(port, 1, work)
    print(json.dumps({**counts, "late": late, "life": life}))


if __name__ == "__main__":
    main()
