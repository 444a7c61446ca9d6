"""Loading a feed: by Callboard until visible, by Callboard with the lake and its upkeep, by the peers."""
import json

import lake
from server import Failed

#: The lake at work within the short time of a load.
BUSY = '[lake]\nflush = "1s"\nsettle = "2s"\nupkeep = "5s"\n'
#: A feed is sent in so many portions, each waited for by a flush: more files a day than upkeep lets stand.
PORTIONS = 25


def visible(server, feed):
    """Waits until SQL finds all of it; gives the moment."""
    server.until("select count(*) from contacts", feed.contacts)
    return server.until(f"select count(*) from records where source like '{feed.sources}'", feed.records)


def sent(bench, server, feed):
    """Sends all of it and waits until SQL finds it; gives CPU and wall seconds."""
    before = server.cpu()
    told = bench.send(server, feed)
    done = visible(server, feed)
    return server.cpu() - before, done - told["begun"]


def ours(bench, feed):
    """The usual settings: until visible, then the memory, then a clean stop."""
    bench.say(f"sending {feed.about()}")
    data = bench.folder("ingest")
    with bench.serve(data) as server:
        cpu, wall = sent(bench, server, feed)
        memory = server.memory()
        seconds, stopping = server.stop()
    bench.say(f"{cpu:.1f} CPU s, {wall:.1f} s; clean stop {seconds:.1f} s, {stopping:.1f} CPU s")
    return {"cpu": cpu, "wall": wall, "memory": memory, "stop": (seconds, stopping)}


def all_in(bench, feed, data):
    """A lake that is busy from the first event, at rest, a clean stop, and a start that makes what was due then: CPU
    seconds of all of it."""
    bench.say("the same in portions, with a busy lake")
    flushes = 0
    with bench.serve(data, BUSY) as server:
        before, records = server.cpu(), lake.Look(data, "records")
        for portion in range(PORTIONS):
            paths = feed.paths[len(feed.paths) * portion // PORTIONS:len(feed.paths) * (portion + 1) // PORTIONS]
            if paths:
                records.moved()
                bench.loaded(server, "full", server.port, bench.sizes.connections, *paths)
                records.wait()
                flushes += 1
        visible(server, feed)
        lake.settled(data, server)
        cpu = server.cpu() - before
        cpu += server.stop()[1]
    with bench.serve(data, BUSY) as server:
        lake.derived(data)
        cpu += server.cpu() + server.stop()[1]
    together, checkpoints = lake.upkeep(data)
    bench.say(f"{cpu:.1f} CPU s; files put together {together} times, {checkpoints} checkpoints")
    return {"cpu": cpu, "note": f"{' '.join(BUSY.split())}, sent in {flushes} portions with a flush after each, until no table had a "
                                f"commit for 12 s, a clean stop, and a start until no intervals are due: {cpu:.2f} CPU s, a day's files put together {together} times, "
                                f"{checkpoints} checkpoints"}


PEERS = {"DuckDB": "duck.py", "chdb": "mergetree.py"}


def peer(bench, feed, name, threads):
    """One peer's load of a feed."""
    bench.say(f"{name} loads the same files with {threads} thread{'s'[:threads - 1]}")
    told = bench.peer(bench.script(PEERS[name]), "load", threads, bench.folder(f"{name}{threads}"), feed.folder, bench.shape(feed))
    if (told["rows"], told["contacts"]) != (feed.lines, feed.contacts):
        raise Failed(f"{name} counts {told['rows']} events of {told['contacts']} contacts, and there are {feed.lines} of {feed.contacts}")
    return told


def peers(bench, feed):
    """Both peers with one and with two threads: by name, the run that used less CPU an event; and a note."""
    best, notes = {}, []
    for name in PEERS:
        runs = {threads: peer(bench, feed, name, threads) for threads in (1, 2)}
        best[name] = min(runs.values(), key=lambda told: told["cpu"])
        notes.append(f"{name} " + ", ".join(f"{t} thread{'s'[:t - 1]} {r['cpu']:.2f} CPU s in {r['wall']:.2f} s"
                                            for t, r in runs.items()) + f", {best[name]['bytes'] / feed.lines:.1f} bytes an event")
    return best, "; ".join(notes)


def shown(peers, value):
    """Peers' figures beside each other."""
    return ", ".join(f"{name} {value(told):,.0f}" for name, told in peers.items())


def ratio(peers, value, reached):
    """What was reached as a part of each peer's figure."""
    return ", ".join(f"{reached / value(told):.2f}" for told in peers.values())


def shape(bench, feed, into):
    """Writes the columns of a feed, which are found in a process of its own, into a file."""
    into.write_text(json.dumps(bench.peer(bench.script("shape.py"), *feed.paths)))
    return into
