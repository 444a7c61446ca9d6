"""Events per CPU-second of each adapter, of our own events and of two mappings, split, routed and interpreted, beside a
reader of plain values."""
import json
import subprocess

from server import Failed
from table import Row, number


def measure(bench):
    """One row an adapter: what `examples/throughput` of the sources prints."""
    program = bench.example("throughput")
    bench.say(f"{bench.sizes.adapter_megabytes} MB of captures of each adapter")
    done = subprocess.run([program, str(bench.sizes.adapter_megabytes)], cwd=bench.project, capture_output=True, text=True,
                          timeout=1500)
    if done.returncode != 0:
        raise Failed("throughput: " + (done.stderr.strip().splitlines() or ["?"])[-1])
    rows, sizes = [], []
    for told in map(json.loads, done.stdout.splitlines()):
        ours, plain = told["events"] / told["cpu"], told["events"] / told["plain_cpu"]
        rows.append(Row(f"events per CPU-second, adapter {told['adapter']}", number(ours), f"{told['plain']} {number(plain)}",
                        f"{ours / plain:.2f}"))
        sizes.append(f"{told['adapter']} {told['bytes'] / told['events']:,.0f} B an event, "
                     f"{told['statements'] / told['events']:.1f} statements")
    bench.note("Adapters. The captures of each, repeated as so many tenants, one thread, no server: split into records, routed, "
               "each key's records interpreted together (keys that share a contact are not joined). Beside it the same bytes read to plain values and dropped: "
               "serde_json::Value, rows of csv, maps of decoded pairs. events are our own CloudEvents; of a mapping (its samples, a "
               "twentieth of the bytes) an event is an item's record, and jq runs in this thread and not in a process of its own. " + "; ".join(sizes) + ".")
    return rows
