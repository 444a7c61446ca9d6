"""From the last event of a contact to an outside reader of the lake who finds it: it settles in between."""
import datetime
import json
import threading
import time

from pyarrow.dataset import field

import lake
from figures import delay
from server import Failed
from table import Row, number, percentile

AIM = 30.0
#: What the server does by itself: a closed contact settles after so long.
SETTLE = 60.0
QUICK = ("5s", 5.0)
SOURCE = "/bench/probe"


class Watch(threading.Thread):
    """Looks at a table's log, and into the table when it moved; remembers when names were first there."""

    def __init__(self, data, table, column):
        super().__init__(daemon=True)
        self.look, self.column = lake.Look(data, table), column
        self.seen, self.over, self.wrong = {}, threading.Event(), None

    def run(self):
        try:
            while not self.over.wait(0.25):
                if self.look.moved():
                    rows = self.look.open().to_pyarrow_dataset().to_table([self.column], filter=field("source") == SOURCE)
                    came = time.monotonic()
                    for name in rows[self.column].to_pylist():
                        self.seen.setdefault(name, came)
        except Exception as why:
            self.wrong = why

    def until(self, names, seconds):
        """Waits until all names were seen."""
        end = time.monotonic() + seconds
        while not names <= self.seen.keys():
            if self.wrong:
                raise Failed(f"the outside reader: {self.wrong}")
            if time.monotonic() > end:
                raise Failed(f"an outside reader found {len(names & self.seen.keys())} of {len(names)} after {seconds:.0f} s more")
            time.sleep(0.1)


def call(server, name):
    """One call that was abandoned at once; gives the moment of its acknowledgement."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")

    def event(verb, **data):
        return {"specversion": "1.0", "id": f"{name}-{verb}", "source": SOURCE, "type": f"callboard.segment.{verb}",
                "time": now, "data": {"contact_id": name, "segment_id": "q", **data}}

    body = [event("started", kind="queue", queue="probe"), event("ended", outcome="abandoned")]
    status, text = server.ask("POST", "/v1/events", json.dumps(body), {"content-type": "application/cloudevents-batch+json"})
    if status != 200 or json.loads(text)["taken"] != 2:
        raise Failed(f"a probe was answered {status} {text[:200].decode(errors='replace')}")
    return time.monotonic()


def measure(bench):
    """Single calls beside a steady load; usual settings, but for a short look."""
    sizes = bench.sizes
    short = sizes.outside < 10
    settle, config = (QUICK[1], f'[lake]\nflush = "{QUICK[0]}"\nsettle = "{QUICK[0]}"\n') if short else (SETTLE, "")
    with bench.serve(bench.folder("outside"), config) as server:
        names = {f"probe-{n}" for n in range(sizes.outside)}
        watches = {"contacts": Watch(server.data, "contacts", "contact_id"), "records": Watch(server.data, "records", "id")}
        for watch in watches.values():
            watch.start()
        try:
            with delay.sending(bench, server, sizes.pace):
                bench.say(f"{sizes.outside} calls in {sizes.outside_seconds} s, each looked for in the lake from outside")
                told = {}
                for name in sorted(names):
                    time.sleep(sizes.outside_seconds / sizes.outside)
                    told[name] = call(server, name)
                watches["contacts"].until(names, settle + 120)
                watches["records"].until({f"{n}-ended" for n in names}, 120)
        finally:
            for watch in watches.values():
                watch.over.set()
                watch.join()
    after = [watches["contacts"].seen[n] - told[n] for n in names]
    records = [watches["records"].seen[f"{n}-ended"] - told[n] for n in names]
    bench.note(f"Outside reader: {sizes.outside} calls over {sizes.outside_seconds} s beside {number(sizes.pace)} events a second, "
               f"{'usual settings' if not config else ' '.join(config.split())}: a flush every "
               f"{QUICK[1] if short else 30:.0f} s, a contact settles {settle:.0f} s after its last event. Python's deltalake looks for "
               f"a new version four times a second and reads the table when there is one. Contacts that have ended settle early where "
               f"the memory for open ones is full; records need not settle.")
    return [
        Row("last event of a contact to an outside Delta reader, p50 / most", f"{percentile(after, 50):.1f} s / {max(after):.1f} s", "", "",
            f"within {settle:.0f} s to settle and {AIM:.0f} s", max(after) <= settle + AIM),
        Row("acknowledged record to an outside Delta reader, p50 / most", f"{percentile(records, 50):.1f} s / {max(records):.1f} s"),
    ]
