"""The first days of scale L, streamed from the simulator into a server: is memory flat, and is every table right?"""
import json
import os
import subprocess
import sys
import threading
import time

import plot
from figures import restart
from server import Failed
from table import Row, number

#: Seconds between two looks at the memory.
PAUSE = 5
#: Ids that are remembered of each source: until every site has told so many, memory grows as it should.
REMEMBERED = 1_000_000
#: What counts as flat: the last quarter's mean beside that of the second.
FLAT = 1.1
#: The truth of so much is compared by queries that take longer than the usual ones may.
ROOM = '[query]\ntime = "30m"\nrows = 50000000\nmemory = "8GiB"\n'


def measure(bench):
    """Posted as it is made; the truth lies beside it and is compared afterwards."""
    sizes = bench.sizes
    folder = bench.folder("stream")
    command = [bench.binary, "simulate", "--seed", "7003", "--contacts", str(sizes.stream_contacts), "--days", str(sizes.stream_days),
               "--until-day", str(sizes.stream_until), "--disorder", "none", "--stream", "--out", folder]
    data = bench.folder("streamed")
    with bench.serve(data, ROOM) as server:
        bench.say(f"streaming the first {sizes.stream_until} days of {number(sizes.stream_contacts)} contacts")
        before, begun = server.cpu(), time.monotonic()
        maker = subprocess.Popen(command, stdout=subprocess.PIPE)
        sender = subprocess.Popen([sys.executable, bench.script("load.py"), "stream", str(server.port), str(sizes.connections)],
                                  stdin=maker.stdout, stdout=subprocess.PIPE, text=True)
        maker.stdout.close()
        told = []
        reader = threading.Thread(target=lambda: told.extend(map(json.loads, sender.stdout)), daemon=True)
        reader.start()
        samples, made = [], 0
        try:
            while sender.poll() is None:
                samples.append((time.monotonic() - begun, server.memory()[0], told[-1]["taken"] if told else 0))
                made = max(made, resident(maker.pid))
                if len(samples) % 60 == 0:
                    bench.say(f"{samples[-1][2]:,} events, {samples[-1][1]:.0f} MiB")
                time.sleep(PAUSE)
            reader.join()
            if sender.returncode or maker.wait():
                raise Failed(f"the sender ended with {sender.returncode}, the simulator with {maker.returncode}")
        finally:
            sender.kill()
            maker.kill()
        wall, cpu, all_told = time.monotonic() - begun, server.cpu() - before, told[-1]
        manifest = json.loads((folder / "manifest.json").read_text())
        counts = manifest["counts"]
        if all_told["taken"] != counts["taken"] or all_told["refused"] != counts["refused"]:
            raise Failed(f"{all_told} were taken, and the simulator made {counts}")
        bench.say(f"{all_told['taken']:,} events in {wall:.0f} s; comparing with the truth")
        done = subprocess.run([bench.binary, "verify", "--truth", folder, "--to", f"http://127.0.0.1:{server.port}", "--wait", "600"],
                              capture_output=True, text=True, timeout=7200)
        bench.say(done.stdout + done.stderr)
        most = server.memory()[1]
        server.kill()
    with bench.serve(data, ROOM, wait=False) as server:
        ready = server.ready()
        bench.say(f"ready {ready:.2f} s after kill -9")
        stopping, _ = server.stop()
    if done.returncode != 0:
        raise Failed("verify: " + " ".join((done.stdout + done.stderr).split())[-300:])
    # Until each site has told as many as are remembered of it, and at most the first half.
    known = min(REMEMBERED * manifest["sites"], all_told["taken"] // 2)
    later = [(events, now) for _, now, events in samples if events >= known]
    half = len(later) // 2
    first, last = (sum(y for _, y in part) / max(1, len(part)) for part in (later[:half], later[half:]))
    bench.plots["stream"] = plot.svg(f"resident memory, {number(all_told['taken'])} events streamed", [(t, now) for t, now, _ in samples], "MiB",
                                     next((t for t, _, events in samples if events >= known), None))
    bench.note(f"Stream. simulate {' '.join(map(str, command[2:-2]))}: the first {sizes.stream_until} of {sizes.stream_days} days, "
               f"{number(all_told['taken'])} events, sent as they were made over {sizes.connections} connections in {wall:,.0f} s, {cpu:,.0f} CPU s "
               f"of the server; the simulator held {made:.0f} MiB at most. Memory from the moment on when {number(known)} events were in, by "
               f"when the last million ids of each source are known: first half {first:.0f} MiB on average, second half {last:.0f}, "
               f"{plot.slope(later) * 2**20:+.1f} bytes an event; {most:.0f} MiB at most, `verify` included. Killed (-9) then, it is "
               f"ready again after {ready:.2f} s; a clean stop takes {stopping:.1f} s. `verify` says: "
               f"{'; '.join(done.stdout.split(chr(10)))}")
    return [Row(f"{number(all_told['taken'])} events of scale L streamed, by the clock", f"{all_told['taken'] / wall:,.0f} events/s"),
            Row("resident memory, second half of it beside the first", f"{last:.0f} MiB", f"{first:.0f} MiB", f"{last / first:.2f}",
                f"at most {FLAT}", last <= FLAT * first),
            Row(f"start after kill -9 with {number(counts['contacts'])} contacts in the lake", f"{ready:.2f} s", "", "",
                f"within {restart.AIM:.0f} s", ready <= restart.AIM),
            Row("tables that differ from the truth", "0")]


def resident(pid):
    """MiB that a process holds; nothing when it has ended."""
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0
