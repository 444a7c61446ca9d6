"""The queue report over many contacts, beside DuckDB on the same Parquet files."""
import io
import re
import statistics
import time

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

import disk
import feeds
from server import Failed
from table import Row, failed, ms, number

#: What the report by interval is made of; too large an answer to be kept between runs.
SQL = "select * from queue_intervals order by queue, interval_start"
PAGE = "/reports/queue-interval?from=2026-03-02&to=2026-03-08"
AIMS = "at most 1 × its time"
#: Contacts that are sent before the lake gets them.
PORTION = 125_000
#: Seconds after which three warm runs are enough.
LONG = 60
#: Contacts settle a minute after their last event; then a flush and some time for it.
SETTLED = 90
#: Limits of a query when the usual ones do not do.
ROOM = '[query]\ntime = "5m"\nmemory = "4GiB"\n'
#: The same in two threads.
THREADS = "threads = 2\n"
ARROW = "application/vnd.apache.arrow.stream"


def loaded(bench, data, contacts):
    """A data folder with the contacts in the lake: sent in portions with a clean stop after each, so
    that a load measured elsewhere does not decide how many contacts can be asked about here."""
    files = bench.files(contacts)
    last = files[-1]
    bench.say(f"loading {last.contacts:,} contacts, {last.records:,} events")
    begun, most, at = time.monotonic(), 0, 0
    while at < len(files):
        upto = next((i for i in range(at, len(files)) if files[i].contacts - files[at].contacts > PORTION), len(files))
        with bench.serve(data) as server:
            bench.send(server, feeds.made_up(files[at:upto]))
            most = max(most, server.memory()[1])
            server.stop()
        at = upto
        bench.say(f"{files[at - 1].contacts:,} contacts after {time.monotonic() - begun:.0f} s")
    bench.say("waiting until contacts have settled, so that the lake answers and not the memory")
    with bench.serve(data, '[lake]\nflush = "5s"\n') as server:
        time.sleep(SETTLED)
        server.stop()
    return last, most


def asked(server):
    """The report once: its table, wall and CPU seconds."""
    wall, cpu = time.perf_counter(), server.cpu()
    body = server.sql(SQL, ARROW)
    wall = time.perf_counter() - wall
    cpu = server.cpu() - cpu
    return pyarrow.ipc.open_stream(io.BytesIO(body)).read_all(), wall, cpu


class Missing(Exception):
    """Contacts are not there: no limit of a query explains that."""


def opened(server):
    """The report's page of the week once: wall and CPU seconds."""
    wall, cpu = time.perf_counter(), server.cpu()
    status, body = server.ask("GET", PAGE)
    if status != 200 or b"<table" not in body:
        title = re.search(r"<title>(.*?)</title>", body.decode(errors="replace"))
        raise Failed(f"{status} {title[1] if title else 'without a title'} after {time.perf_counter() - wall:.0f} s")
    return time.perf_counter() - wall, server.cpu() - cpu


def plain(table, names):
    """Columns as sorted rows of plain values: times as microseconds."""
    columns = []
    for name in names:
        column = table.column(name)
        if pyarrow.types.is_timestamp(column.type):
            column = column.cast(pyarrow.timestamp("us", column.type.tz)).cast(pyarrow.int64())
        columns.append([int(v) if isinstance(v, (int, float)) or type(v).__name__ == "Decimal" else v
                        for v in column.to_pylist()])
    return sorted(zip(*columns), key=lambda row: row[:2])


def compared(ours, theirs):
    """Fails unless both tables are the same."""
    names = theirs.column_names
    if sorted(names) != sorted(ours.column_names):
        raise Failed(f"columns differ: {sorted(set(names) ^ set(ours.column_names))}")
    names = ["queue", "interval_start"] + [n for n in names if n not in ("queue", "interval_start")]
    a, b = plain(ours, names), plain(theirs, names)
    if a != b:
        first = next((pair for pair in zip(a, b) if pair[0] != pair[1]), (len(a), len(b)))
        raise Failed(f"the results differ: {first}")


def ours(bench, data, last, config):
    """Cold and warm times of the report, those of its page, and the memory afterwards."""
    runs = bench.sizes.report_runs
    disk.forget(data / "lake")
    with bench.serve(data, config) as server:
        still_open = server.recovered()["open"]
        bench.say(f"the report ({still_open:,} keys still open), cold and up to {runs} times warm")
        answer, *cold = asked(server)
        if (contacts := server.number("select count(*) from contacts")) != last.contacts:
            raise Missing(f"{contacts} contacts in the lake of {last.contacts} that were sent")
        bench.say(f"cold {cold[0]:.1f} s, {cold[1]:.1f} CPU s")
        warm, begun = [], time.monotonic()
        while len(warm) < runs and (len(warm) < 3 or time.monotonic() - begun < LONG):
            warm.append(asked(server)[1:])
        try:
            pages = [opened(server) for _ in range(3)]
        except Failed as why:
            pages = why
        resident = server.memory()[0]
        server.stop()
    return answer, cold, warm, pages, resident, still_open


def beside_duck(name, cold, warm, told):
    """Rows of one way of asking."""
    # The server's clock of CPU has steps of 10 ms: the mean over all runs is finer than their median.
    wall, cpu = statistics.median(t[0] for t in warm), statistics.fmean(t[1] for t in warm)
    wall2, cpu2 = statistics.median(t[0] for t in told["warm"]), statistics.fmean(t[1] for t in told["warm"])
    first = told["first"]
    return [
        Row(f"{name}, cold", f"{ms(cold[0])} ({ms(cold[1])} CPU)", f"DuckDB {ms(first[0])} ({ms(first[1])} CPU)",
            f"{cold[0] / first[0]:.2f} of its time, {cold[1] / first[1]:.2f} of its CPU", AIMS, cold[0] <= first[0]),
        Row(f"{name}, warm", f"{ms(wall)} ({ms(cpu)} CPU)", f"DuckDB {ms(wall2)} ({ms(cpu2)} CPU)",
            f"{wall / wall2:.2f} of its time, {cpu / cpu2:.2f} of its CPU", AIMS, wall <= wall2),
    ]


def measure(bench):
    """A million contacts, or what the sizes say."""
    return over(bench, bench.sizes.report_contacts)


def over(bench, contacts):
    """Cold, warm, and the same in DuckDB; the results must be equal."""
    data = bench.folder("report")
    last, most = loaded(bench, data, contacts)
    table = data / "lake" / "segments"
    try:
        config, limits = "", ""
        answer, cold, warm, pages, resident, still_open = ours(bench, data, last, config)
    except Failed as why:
        bench.say(f"not within the usual limits of a query: {why}")
        config = ROOM
        answer, cold, warm, pages, resident, still_open = ours(bench, data, last, config)
        limits = f" With the usual limits of a query it did not come: {why}. Measured with {' '.join(ROOM.split())}."
    # As many threads as the peer takes.
    try:
        beside, *both = ours(bench, data, last, (config or "[query]\n") + THREADS)[:3]
    except Failed as why:
        bench.say(f"in two threads not within these limits: {why}")
        limits += f" In two threads the limits were {' '.join(ROOM.split())}."
        try:
            beside, *both = ours(bench, data, last, ROOM + THREADS)[:3]
        except Failed as again:
            beside, both = None, again
    disk.forget(data / "lake")
    result = bench.folder("report.parquet")
    bench.say("DuckDB, the same")
    told = bench.peer(bench.script("duck.py"), "report", table, result, bench.sizes.report_runs, bench.script("report.sql"))
    theirs = pyarrow.parquet.read_table(result)
    compared(answer, theirs)
    if beside is not None:
        compared(beside, theirs)
    bench.note(f"Report: {number(last.contacts)} contacts of a week in {told['files']} Parquet files of segments; "
               f"{number(answer.num_rows)} rows of "
               f"{answer.num_columns} columns as Arrow, equal in every value. Callboard answers over HTTP from a process of its own "
               f"({resident:.0f} MiB resident then; loading took {most:.0f} at most), DuckDB in the asking "
               f"process. Cold: right after start, the lake's files dropped from the cache; DuckDB's reading of the Delta log is not "
               f"counted. Warm: median time and mean CPU of {len(warm)} runs, DuckDB {len(told['warm'])}; {number(still_open)} keys were still open.{limits}")
    name = f"queue report over {number(last.contacts)} contacts"
    rows = beside_duck(name, cold, warm, told)
    threads = f"{name}, [query] threads = 2"
    rows += [failed(threads, both)] if isinstance(both, Failed) else beside_duck(threads, *both, told)
    if isinstance(pages, Failed):
        return [*rows, failed("the report's page of that week", pages)]
    return [*rows, Row("the report's page of that week, first / third time",
                       f"{ms(pages[0][0])} ({ms(pages[0][1])} CPU) / {ms(pages[-1][0])} ({ms(pages[-1][1])} CPU)")]
