"""CPU of reading our own events by several decoders: how much of an event's cost a faster one could save."""
import json
import subprocess

from server import Failed
from table import Row, number


def measure(bench):
    """A row for each decoder beside our own reading, which `decoders` measures too."""
    program = bench.binary.parent.parent / "decoders" / "release" / "decoders"
    if not program.is_file():
        raise Failed(f"{program} is not built: cargo build --release --manifest-path tests/bench/decoders/Cargo.toml "
                     f"--target-dir {program.parent.parent}")
    feed = bench.simulated(bench.sizes.simulated, "--disorder", "mild", "--poison", "0")
    # Every decoder reads the same part, which is held in memory.
    paths = feed.paths[:max(1, len(feed.paths) // 8)]
    bench.say("our own events by several decoders")
    done = subprocess.run([program, *paths], capture_output=True, text=True, timeout=1500)
    if done.returncode != 0:
        raise Failed("decoders: " + (done.stderr.strip().splitlines() or ["?"])[-1])
    told = [json.loads(line) for line in done.stdout.splitlines()]
    each = {t["decoder"]: t["cpu"] / t["events"] * 1e6 for t in told}
    door, ours = [name for name in each if name.startswith(("serde_json, identity", "callboard"))]
    whole = each[door] + each[ours]
    bench.note(f"Decoders. {number(told[0]['events'])} events of the simulator, {told[0]['bytes'] / told[0]['events']:.0f} bytes each, one thread. "
               f"Callboard reads an event twice: the door its identity ({each[door]:.2f} µs), the pipeline statements "
               f"({each[ours]:.2f} µs, hash, times and checks of each field included). typed: id, source, type, time and ten fields of "
               f"the data, borrowed; values: the decoder's own value of the whole; tape: simd-json's, with the copy that it writes into; "
               f"columns: record batches of 8,192 rows, the schema known.")
    rows = [Row("microseconds of CPU an event, Callboard's door and statements", f"{whole:.2f} µs")]
    for name, cost in each.items():
        if name not in (door, ours):
            rows.append(Row(f"microseconds of CPU an event, {name}", "", f"{cost:.2f} µs", f"{whole / cost:.2f}"))
    return rows
