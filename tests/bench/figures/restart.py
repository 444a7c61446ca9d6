"""Start after kill -9, with a log of which nothing has reached the lake."""
import time

import feeds
from table import Row, number

AIM = 1.0


def measure(bench):
    """Twice: at about 64 MiB of log, which is what a checkpoint bounds, and at all events."""
    files = bench.files(bench.sizes.contacts)
    near, size = 0, 0
    while near < len(files) - 1 and size < bench.sizes.log_bytes:
        size += files[near].bytes
        near += 1
    data = bench.folder("restart")
    calm = '[lake]\nflush = "1h"\n'
    rows, server, begun = [], bench.serve(data, calm), 0
    try:
        for upto in (near, len(files)):
            bench.say(f"sending up to {files[upto - 1].records:,} events, then kill -9")
            bench.send(server, feeds.made_up(files[begun:upto]))
            begun = upto
            server.kill()
            server = bench.serve(data, calm, wait=False)
            ready = server.ready()
            cpu = server.cpu()
            server.until("select count(*) from records", files[upto - 1].records)
            counted = time.monotonic() - server.begun
            server.until("select count(*) from contacts", files[upto - 1].contacts)
            sent = sum(f.bytes for f in files[:upto]) / 2**20
            told = server.recovered()
            read = told["log_to"] - told["flushed"]
            bench.say(f"ready after {ready:.2f} s, {cpu:.1f} CPU s; {read:,} records replayed; SQL counts them after {counted:.2f} s")
            rows.append(Row(f"start after kill -9, {sent:.0f} MiB of events not in the lake", f"{ready:.2f} s", "", "",
                            f"within {AIM:.0f} s", ready <= AIM))
            bench.note(f"Start after kill -9 with {number(files[upto - 1].records)} acknowledged events, {number(read)} records "
                       f"replayed: /readyz after {ready:.2f} s ({cpu:.1f} CPU s), SQL has counted all of them after {counted:.2f} s.")
    finally:
        server.kill()
    return rows
