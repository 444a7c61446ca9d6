"""From acknowledgement to what a query finds and to what the board's stream carries."""
import contextlib
import datetime
import http.client
import json
import random
import re
import threading
import time

from figures import acknowledgement
from server import Failed
from table import Row, pair, percentile

SQL_AIM, BOARD_AIM = 0.05, 0.3
#: Events a second of a centre of 5,000 agents: ten contacts an hour each, forty events a contact.
CENTRE = 556
#: So often a probe is sent, a second between: a server at its bounds says that it is to come back.
PATIENCE = 60
OFFERED = re.compile(r'data-measure="offered"[^>]*data-value="(\d+)"')


class Board:
    """Listens to the stream that the board's page listens to."""

    def __init__(self, port):
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.link.request("GET", "/events/board")
        self.answer = self.link.getresponse()
        if self.answer.status != 200:
            raise Failed(f"/events/board: {self.answer.status}")
        self.news = threading.Condition()
        self.offered, self.frames, self.ended = {}, 0, False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        try:
            for line in self.answer:
                if line.startswith(b"data: "):
                    came = time.monotonic()
                    found = OFFERED.search(json.loads(line[6:])["parts"].get("summary", ""))
                    with self.news:
                        self.frames += 1
                        if found:
                            self.offered.setdefault(int(found[1]), came)
                        self.news.notify_all()
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # the server was ended, or close() was called
        with self.news:
            self.ended = True
            self.news.notify_all()

    def shown(self, offered):
        """The moment at which a frame came that counts so many."""
        with self.news:
            if not self.news.wait_for(lambda: offered in self.offered or self.ended, timeout=30):
                raise Failed(f"the board did not show {offered} offered within 30 s")
            if offered not in self.offered:
                raise Failed("the board's stream ended")
            return self.offered[offered]

    def begin(self):
        """Waits for the first frame, which holds everything."""
        with self.news:
            if not self.news.wait_for(lambda: self.frames, timeout=60):
                raise Failed("the board's stream says nothing")

    def close(self):
        """Ends it."""
        self.link.close()


def probe(server, board, name, offered):
    """One call enters a queue now: seconds from its acknowledgement to SQL and to the board, and how often
    it was told to come back before."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    event = {"specversion": "1.0", "id": name, "source": "/bench/probe", "type": "callboard.segment.started", "time": now,
             "data": {"contact_id": name, "segment_id": "q", "kind": "queue", "queue": "probe"}}
    for refused in range(PATIENCE):
        status, body = server.ask("POST", "/v1/events", json.dumps(event), {"content-type": "application/cloudevents+json"})
        acknowledged = time.monotonic()
        if status != 503:
            break
        time.sleep(1)
    if status != 200:
        raise Failed(f"a probe was answered {status} {body[:200].decode(errors='replace')}")
    found = server.until(f"select count(*) from contacts where contact_id = '{name}'", 1, pause=0)
    return found - acknowledged, max(0.0, board.shown(offered) - acknowledged), refused


def round_of(bench, server, board, kind):
    """Probes at moments that do not follow the board's own beat."""
    rng = random.Random(kind)
    sql, shown, refused = [], [], 0
    for n in range(bench.sizes.probes):
        time.sleep(rng.uniform(0.2, 0.9))
        a, b, again = probe(server, board, f"probe-{n}", n + 1)
        sql.append(a)
        shown.append(b)
        refused += again
    bench.say(f"{kind}: SQL {pair(sql)}, board {pair(shown)}, told to come back {refused} times")
    return sql, shown, refused


@contextlib.contextmanager
def sending(bench, server, pace):
    """Events at a rate beside what is measured, until it is done."""
    files = bench.files(bench.sizes.report_contacts)
    child = bench.loader("paced", server.port, 4, pace, 600, acknowledgement.LINES, *[f.path for f in files])
    try:
        time.sleep(3)
        end = time.monotonic() + 60
        while not server.number("select count(*) from records where source like '/bench/acd%'"):
            if time.monotonic() > end:
                raise Failed("the sender sent nothing in a minute")
            time.sleep(0.5)
        yield
        if child.poll() is not None:
            raise Failed("the sender ended before the probes did: " + child.stderr.read()[-300:])
    finally:
        child.kill()
        child.communicate()


def measure(bench):
    """Probes on a server with nothing else to do, and on servers that are sent events at a rate."""
    rates = {"idle": 0, f"at {CENTRE} events/s, a centre of 5,000 agents": CENTRE, **acknowledgement.rates(bench)}
    rows, full = [], {}
    for kind, pace in rates.items():
        with bench.serve(bench.folder("delay")) as server:
            board = Board(server.port)
            board.begin()
            try:
                with sending(bench, server, pace) if pace else contextlib.nullcontext():
                    sql, shown, full[kind] = round_of(bench, server, board, kind)
            finally:
                board.close()
        rows.append(Row(f"acknowledgement to SQL, {kind}, p50 / p99", pair(sql), "", "",
                        f"within {SQL_AIM * 1000:.0f} ms", percentile(sql, 99) <= SQL_AIM))
        rows.append(Row(f"acknowledgement to the board, {kind}, p50 / p99", pair(shown), "", "",
                        f"within {BOARD_AIM * 1000:.0f} ms", percentile(shown, 99) <= BOARD_AIM))
    bench.note(f"Delay: {bench.sizes.probes} single events each, at moments 0.2 to 0.9 s after the one before was seen: p99 is the "
               f"longest of them. First idle, then beside {', then '.join(f'{p:,.0f}' for p in rates.values() if p)} events a second, "
               f"a fresh folder each. SQL: a query for the contact is repeated without a pause until it finds it, so one "
               f"query's time is in it. Board: until the stream of the page carries the new count. Probes that were told to come back "
               f"(503) before they were taken: {', '.join(f'{kind} {n}' for kind, n in full.items())}.")
    return rows
