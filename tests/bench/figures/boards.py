"""Many watchers of one board: what a change costs that goes to all of them."""
import datetime
import json
import subprocess
import sys
import threading

from server import Failed
from table import Row, number, percentile

SHARE_AIM, FAN_AIM, KIB_AIM = 8.0, 150.0, 20.0


def changes(server, over):
    """One call enters a queue each second."""
    n = 0
    while not over.wait(1.0):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        event = {"specversion": "1.0", "id": f"w-{n}", "source": "/bench/watched", "type": "callboard.segment.started", "time": now,
                 "data": {"contact_id": f"w-{n}", "segment_id": "q", "kind": "queue", "queue": f"q{n % 10}"}}
        server.ask("POST", "/v1/events", json.dumps(event), {"content-type": "application/cloudevents+json"})
        n += 1


def measure(bench):
    """Alone with one watcher, then with all: the difference is theirs."""
    rows = []
    for boards in bench.sizes.boards:
        with bench.serve(bench.folder(f"boards-{boards}")) as server:
            over = threading.Event()
            changing = threading.Thread(target=changes, args=(server, over), daemon=True)
            changing.start()
            try:
                alone, _, one = watched(bench, server, 1)
                share, spread, all_of_them = watched(bench, server, boards)
            finally:
                over.set()
                changing.join()
        each = max(0.0, all_of_them - one) * 1024 / (boards - 1)
        fan = percentile(spread, 99)
        rows += [Row(f"{number(boards)} boards, a change each second, share of a core", f"{share:.1f} %", f"one board {alone:.1f} %", "",
                     f"at most {SHARE_AIM:.0f} %", share <= SHARE_AIM),
                 Row(f"{number(boards)} boards, from the first to the last, p99", f"{fan:.0f} ms", "", "", f"within {FAN_AIM:.0f} ms", fan <= FAN_AIM),
                 Row(f"{number(boards)} boards, memory for each", f"{each:.1f} KiB", "", "", f"at most {KIB_AIM:.0f} KiB", each <= KIB_AIM)]
    bench.note(f"Boards: {bench.sizes.idle} s each, a call enters a queue each second; the watchers are one process of Python on the same "
               "cores, and what it needs to read all streams is in the time from the first to the last. p99 is of the changes that came to all. "
               "The aims are of 5,000 boards.")
    return rows


def watched(bench, server, boards):
    """Share of a core in percent, the spread of each change in ms, resident MiB."""
    bench.say(f"{boards:,} boards for {bench.sizes.idle} s")
    watchers = subprocess.Popen([sys.executable, bench.script("watchers.py"), str(server.port), str(boards), str(bench.sizes.idle)],
                                stdout=subprocess.PIPE, text=True)
    try:
        if watchers.stdout.readline() != "ready\n":
            raise Failed(f"{boards} boards did not all see their first frame")
        cpu = server.cpu()
        told = watchers.stdout.readline()
        cpu, resident = server.cpu() - cpu, server.memory()[0]
        if watchers.wait(30) or not told:
            raise Failed(f"{boards} boards: a stream ended")
    finally:
        watchers.kill()
    told = json.loads(told)
    if not told["spread_ms"]:
        raise Failed(f"no change came to all of {boards} boards: {told}")
    return cpu / bench.sizes.idle * 100, told["spread_ms"], resident
