"""Interval tables made anew beside what adding to them would cost at least."""
import statistics

from figures import report
from table import Row, ms, number

#: Rounds in which the contacts of a day arrive: adding would read one round's contacts at a time.
ROUNDS = 25
QUERIES = {"queue_intervals": "select * from queue_intervals", "agent_intervals": "select * from agent_intervals"}


def measure(bench):
    """The CPU of both tables over all contacts, and over as many as come in one round, in a lake of their own."""
    contacts = bench.sizes.contacts
    whole, last = costs(bench, contacts)
    part, new = costs(bench, contacts // ROUNDS)
    bench.note(f"Intervals. All rows of a lake with {number(last.contacts)} contacts, and of another with {number(new.contacts)}, a "
               f"{ROUNDS}th of them, as Arrow over HTTP; mean CPU of {bench.sizes.report_runs} runs each, warm. The second is the least "
               f"that adding a round's contacts to rows that stand would cost: reading those rows, adding, and taking back what a "
               f"corrected contact had added before are not in it.")
    return [Row(f"{table} made anew, {number(last.contacts)} contacts", f"{ms(whole[table])} CPU",
                f"adding {number(new.contacts)}: at least {ms(part[table])} CPU", f"{whole[table] / part[table]:.1f}")
            for table in QUERIES]


def costs(bench, contacts):
    """Mean CPU seconds of each table's query."""
    data = bench.folder("intervals")
    last, _ = report.loaded(bench, data, contacts)
    found = {}
    with bench.serve(data, report.ROOM) as server:
        for table, query in QUERIES.items():
            server.sql(query, report.ARROW)
            spent = []
            for _ in range(bench.sizes.report_runs):
                begun = server.cpu()
                server.sql(query, report.ARROW)
                spent.append(server.cpu() - begun)
            found[table] = statistics.fmean(spent)
            bench.say(f"{table} of {contacts:,} contacts: {found[table] * 1000:.0f} ms of CPU")
        server.stop()
    return found, last
