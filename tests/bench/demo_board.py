"""How soon the demo's board shows an event while recordings are transcribed.

Beside a running `make demo`: python tests/bench/demo_board.py [--http ADDRESS] [--probes N]
Each probe is one call that enters a queue of its own; the time runs from its acknowledgement to the
frame of the board's stream that counts it. Nothing is compiled or started.
"""
import argparse
import http.client
import json
import random
import re
import threading
import time

QUEUE = "board-probe"
OFFERED = re.compile(r'data-measure="offered"[^>]*data-value="(\d+)"')


class Demo:
    """The server of a demo, and what its board's stream said of the probes' queue."""

    def __init__(self, address):
        self.address = address
        link = http.client.HTTPConnection(address, timeout=60)
        link.request("GET", "/events/board")
        self.stream = link.getresponse()
        self.news, self.frames, self.shown = threading.Condition(), 0, {}
        threading.Thread(target=self._listen, daemon=True).start()
        with self.news:
            if not self.news.wait_for(lambda: self.frames, timeout=60):
                raise SystemExit("the board's stream says nothing")

    def _listen(self):
        for line in self.stream:
            if not line.startswith(b"data: "):
                continue
            came = time.monotonic()
            parts = json.loads(line[6:])["parts"]
            with self.news:
                self.frames += 1
                for html in parts.values():
                    for count in OFFERED.findall(html) if QUEUE in html else ():
                        self.shown.setdefault(int(count), came)
                self.news.notify_all()

    def post(self, path, kind, body):
        link = http.client.HTTPConnection(self.address, timeout=60)
        link.request("POST", path, json.dumps(body), {"content-type": kind})
        answer = link.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {text[:200]!r}")
        return json.loads(text)

    def row(self, sql):
        return self.post("/v1/sql", "application/json", {"sql": sql})["rows"][0]

    def probe(self, name, number):
        """Seconds from acknowledgement to the board."""
        event = {"specversion": "1.0", "id": name, "source": "/bench/probe", "type": "callboard.segment.started",
                 "time": self.row("select now from snapshot")["now"],
                 "data": {"contact_id": name, "segment_id": "q", "kind": "queue", "queue": QUEUE}}
        self.post("/v1/events", "application/cloudevents+json", event)
        told = time.monotonic()
        with self.news:
            if not self.news.wait_for(lambda: number in self.shown, timeout=30):
                raise SystemExit(f"the board did not show probe {number} within 30 s")
            return max(0.0, self.shown[number] - told)


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--http", default="127.0.0.1:8080", help="where the demo's pages are")
    args.add_argument("--probes", type=int, default=30, help="events sent one by one")
    args = args.parse_args()
    demo = Demo(args.http)
    before = demo.row(f"select count(*) as n from contacts where queue = '{QUEUE}'")["n"]
    left = "select count(*) as n from recordings where transcript_state is null"
    waiting, lags = [], []
    for number in range(before + 1, before + args.probes + 1):
        time.sleep(random.uniform(0.3, 1.2))
        lags.append(demo.probe(f"board-probe-{number}-{time.time()}", number))
        waiting.append(demo.row(left)["n"])
    lags.sort()
    print(f"{len(lags)} events: median {lags[len(lags) // 2]:.2f} s, most {lags[-1]:.2f} s from acknowledgement to the board; "
          f"{waiting[0]} recordings waited for their transcript at the beginning, {waiting[-1]} at the end")


if __name__ == "__main__":
    main()
