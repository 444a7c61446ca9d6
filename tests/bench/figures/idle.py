"""What a server costs that has data and nothing to do."""
import time

import lake
from figures import delay
from table import Row, number

AIM = 1.0
#: Seconds after a start until contacts have settled, and then without a commit: what was left to do is done.
REST, QUIET = 75, 45
#: Seconds between two rounds of upkeep in the usual settings: one of them falls into what is measured.
UPKEEP = 300


def measure(bench):
    """Loaded, stopped, started: as long alone as from one round of upkeep to the next, and a minute with a board open."""
    sizes = bench.sizes
    feed = bench.made_up(sizes.contacts)
    data = bench.folder("idle")
    with bench.serve(data) as server:
        bench.say(f"loading {feed.about()}")
        bench.send(server, feed)
        server.stop()
    short = sizes.idle < 60
    with bench.serve(data, '[lake]\nflush = "2s"\nsettle = "2s"\n' if short else "") as server:
        server.until("select count(*) from contacts", feed.contacts)
        bench.say("waiting until the lake is at rest")
        time.sleep(5 if short else REST)
        lake.settled(data, server, 5 if short else QUIET)
        alone = used(bench, server, "nothing to do", sizes.idle if short else UPKEEP)
        board = delay.Board(server.port)
        board.begin()
        watched = used(bench, server, "a board open", sizes.idle)
        board.close()
        resident = server.memory()[0]
    bench.note(f"Idle: {sizes.idle if short else UPKEEP} s alone, a round of upkeep among them, and {sizes.idle} s with a board, "
               f"{number(feed.contacts)} contacts in the lake, {'contacts settle after 2 s' if short else 'usual settings'}, measured "
               f"when all has settled and no table had a commit for {5 if short else QUIET} s; {resident:.0f} MiB resident.")
    return [Row("idle, share of a core", f"{alone:.2f} %", "", "", f"at most {AIM:.0f} %", alone <= AIM),
            Row("idle with a board open, share of a core", f"{watched:.2f} %")]


def used(bench, server, what, seconds):
    """Share of a core, percent."""
    bench.say(f"{what} for {seconds} s")
    cpu, wall = server.cpu(), time.monotonic()
    time.sleep(seconds)
    return (server.cpu() - cpu) / (time.monotonic() - wall) * 100
