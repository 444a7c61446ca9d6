"""Memory with many open contacts, and whether it grows at a steady rate."""
import json
import subprocess
import sys
import time

import plot
from server import Failed
from table import Row, number

AIM = 512
#: MiB a minute that count as none: sampling and the allocator move as much.
FLAT = 1.0
#: Seconds between flushes, which take memory for a moment.
ROUND = 30


def measure(bench):
    """Contacts begin and end now, so that always the same number is open; sampled every second."""
    sizes = bench.sizes
    seconds = sizes.ramp + sizes.steady
    with bench.serve(bench.folder("memory")) as server:
        bench.say(f"{number(sizes.open)} contacts open at a time, {number(sizes.pace)} events a second, {seconds} s")
        child = subprocess.Popen([sys.executable, bench.script("steady.py"), *map(str, (server.port, sizes.open, sizes.pace, seconds))],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            samples, begun, cpu = [], time.monotonic(), server.cpu()
            while child.poll() is None:
                passed = time.monotonic() - begun
                samples.append((passed, *server.memory()))
                time.sleep(max(0.0, begun + len(samples) - time.monotonic()))
            cpu = (server.cpu() - cpu) / (time.monotonic() - begun)
            told, wrong = child.communicate()
            # Asked last: what the query takes is none of what is held.
            now_open = server.number("select count(*) from contacts where state = 'open'")
        finally:
            child.kill()
            child.communicate()
        if child.returncode:
            raise Failed("the sender: " + (wrong.strip().splitlines() or ["?"])[-1])
        # One event in flight is no fault, and the sender may be late by some.
        if abs(now_open - sizes.open) > sizes.open / 20:
            raise Failed(f"{now_open:,} contacts were open, and {sizes.open:,} are wanted")
    told = json.loads(told)
    steady = [(t, now) for t, now, _, _ in samples if t >= sizes.ramp]
    # What is held, without what passes: a flush and a round of upkeep take memory and give it back.
    each = min(ROUND, len(steady) // 2)
    least = [min(steady[n:n + each], key=lambda s: s[1]) for n in range(0, len(steady) - each + 1, each)]
    opened = max(now for t, now, _, _ in samples if t <= told["life"])
    most, grown, whole = max(y for _, y in steady), plot.slope(least) * 60, plot.slope(steady) * 60
    title = f"resident memory, {number(sizes.open)} contacts open, {number(sizes.pace)} events a second"
    bench.plots["memory"] = plot.svg(title, [(t, now) for t, now, _, _ in samples], "MiB", sizes.ramp)
    bench.note(f"Memory: contacts begin at an even pace and stay open for {told['life']:.0f} s: after that time {number(sizes.open)} are "
               f"open and none has ended, the first row. Then as many end as begin, and are held until they settle; {number(now_open)} were "
               f"open at the end; {number(told['taken'])} events, {cpu * 100:.0f} % of a core; the sender was late by {told['late']:.2f} s at most "
               f"and lost {told.get('lost', 0)} connections. "
               f"Sampled every second for {seconds} s, looked at from second {sizes.ramp} on, when the last million ids of the source "
               f"are known and the first round of upkeep is over. Anonymous {max(s[3] for s in samples):.0f} MiB at most. "
               f"Growth is of the least of every {each} s; of all samples {whole:+.1f} MiB a minute. "
               f"Over the time, from zero: {plot.spark([(t, now) for t, now, _, _ in samples])}")
    return [
        Row(f"resident memory with {number(sizes.open)} contacts open", f"{opened:.0f} MiB", "", "", f"at most {AIM} MiB", opened <= AIM),
        Row(f"the same at {number(sizes.pace)} events/s, the most", f"{most:.0f} MiB", "", "", f"at most {AIM} MiB", most <= AIM),
        Row("its growth at a steady rate", f"{grown:+.1f} MiB a minute", "", "", f"about 0 (within {FLAT:.0f})", abs(grown) <= FLAT),
    ]
