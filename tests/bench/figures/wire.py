"""Rows over the PostgreSQL wire, as psql asks for them."""
import re
import resource
import shutil
import subprocess
import time

import duckdb
import pyarrow as pa

from server import Failed
from table import Row, number

AIM = 700_000
RUNS, COLUMNS = 3, 10


def measure(bench):
    """Ten columns of every contact, the best of three."""
    psql = shutil.which("psql")
    if psql is None:
        raise Failed("psql is not there: install postgresql-client")
    feed = bench.made_up(bench.sizes.contacts)
    data = bench.folder("wire")
    with bench.serve(data) as server:
        bench.send(server, feed)
        server.until("select count(*) from contacts", feed.contacts)
        server.stop()
    with bench.serve(data) as server:
        port = re.search(r"psql -h \S+ -p (\d+)", server.log.read_text(errors="replace"))[1]
        names = list(server.sql("select * from contacts limit 1")[0])[:COLUMNS]
        query = f"select {', '.join(names)} from contacts"
        runs = []
        for _ in range(RUNS):
            cpu, begun = server.cpu(), time.monotonic()
            done = subprocess.run([psql, "-h", "127.0.0.1", "-p", port, "-X", "-q", "-A", "-t", "-c", query, "callboard"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
            came = len(done.stdout.splitlines())
            if done.returncode or came != feed.contacts:
                raise Failed(f"psql: {came} rows; {done.stderr[-200:]}")
            runs.append((server.cpu() - cpu, time.monotonic() - begun))
        table = pa.ipc.open_stream(server.sql(query, "application/vnd.apache.arrow.stream")).read_all()
    cpu, wall = min(runs)
    theirs = text_of(table)
    rate, peer = feed.contacts / cpu, feed.contacts / theirs
    bench.note(f"Wire: {number(feed.contacts)} contacts x {COLUMNS} columns from the lake as text, psql -A -t on the same cores, {len(done.stdout) / 2**20:.0f} MiB, "
               f"{wall:.2f} s by the clock with psql's own work, {cpu:.2f} CPU s of the server. Beside it DuckDB, one thread, writes the same rows from memory as CSV: "
               f"{theirs:.2f} CPU s; it plans and reads nothing.")
    return [Row("rows per CPU-second over the PostgreSQL wire", number(rate), f"DuckDB as CSV {number(peer)}", f"{rate / peer:.2f}",
                number(AIM), rate >= AIM)]


def text_of(table):
    """CPU seconds in which DuckDB writes a table as text, the best of three."""
    link = duckdb.connect(config={"threads": 1})
    link.register("rows_of_it", table)
    best = float("inf")
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_SELF)
        link.execute("copy rows_of_it to '/dev/null' (format csv)")
        after = resource.getrusage(resource.RUSAGE_SELF)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best
