"""What a server costs that has data and nothing to do."""
import time

from figures import delay
from table import Row, number

AIM = 1.0
#: After its start, before anything is measured.
REST = 20


def measure(bench):
    """Loaded, stopped, started: a minute alone, and a minute with a board open."""
    sizes = bench.sizes
    feed = bench.made_up(sizes.contacts)
    data = bench.folder("idle")
    with bench.serve(data) as server:
        bench.say(f"loading {feed.about()}")
        bench.send(server, feed)
        server.stop()
    with bench.serve(data) as server:
        server.until("select count(*) from contacts", feed.contacts)
        time.sleep(REST)
        alone = used(bench, server, "nothing to do")
        board = delay.Board(server.port)
        board.begin()
        watched = used(bench, server, "a board open")
        board.close()
        resident = server.memory()[0]
    bench.note(f"Idle: {sizes.idle} s each, {number(feed.contacts)} contacts in the lake, usual settings, from {REST} s after the start "
               f"on; {resident:.0f} MiB resident.")
    return [Row("idle, share of a core", f"{alone:.2f} %", "", "", f"at most {AIM:.0f} %", alone <= AIM),
            Row("idle with a board open, share of a core", f"{watched:.2f} %")]


def used(bench, server, what):
    """Share of a core, percent."""
    bench.say(f"{what} for {bench.sizes.idle} s")
    cpu, wall = server.cpu(), time.monotonic()
    time.sleep(bench.sizes.idle)
    return (server.cpu() - cpu) / (time.monotonic() - wall) * 100
