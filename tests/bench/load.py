"""The sender, a process of its own so that its work is not the server's: one JSON line a run.

    load.py full PORT CONNECTIONS FILE...        everything as fast as it is taken
    load.py paced PORT THREADS RATE SECONDS LINES FILE...
                                                 LINES events a request, RATE events a second
    load.py stream PORT CONNECTIONS              standard input, as it comes; a JSON line every few seconds

Events come from NDJSON files. `paced` counts a request's latency from the moment at which it was due,
so that a stall counts for every request that it delays.
"""
import collections
import http.client
import itertools
import json
import queue
import sys
import threading
import time

SOURCE = b"/bench/acd"
HEADERS = {"content-type": "application/x-ndjson"}
#: Bytes of a request that is cut from a stream.
REQUEST = 2 << 20
#: Seconds for which a server may say that it has no room before the sender gives up.
PATIENCE = 120
WORDS = ("taken", "repeated", "conflicts", "refused")


def post(link, body, name, counts):
    """Sends one body until all of it is taken; adds up what the server says of its lines.

    A server that has no room says when to come back; lines that it had taken by then are repeats.
    A connection that breaks is made anew, as senders do, and counted as `lost`.
    """
    begun = time.monotonic()
    while True:
        try:
            link.request("POST", f"/v1/events?sender={name}", body, HEADERS)
            answer = link.getresponse()
            text = answer.read()
        except (ConnectionError, http.client.HTTPException) as broken:
            if time.monotonic() - begun > PATIENCE:
                raise RuntimeError(f"not taken within {PATIENCE} s: {broken}") from broken
            counts["lost"] += 1
            link.close()
            time.sleep(0.2)
            continue
        told = json.loads(text) if answer.status in (200, 429, 503) else {}
        for word in WORDS:
            counts[word] += told.get(word, 0)
        if answer.status in (429, 503):
            if time.monotonic() - begun > PATIENCE:
                raise RuntimeError(f"not taken within {PATIENCE} s: {text[:200].decode(errors='replace')}")
            time.sleep(float(answer.headers.get("retry-after", 1)))
            continue
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {text[:300].decode(errors='replace')}")
        return


def spread(port, workers, work):
    """Runs `work(worker, link)` on threads with a connection each; raises what one of them raised."""
    wrong = []

    def run(worker):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
        try:
            work(worker, link)
        except Exception as error:
            wrong.append(error)
        link.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(workers)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if wrong:
        raise wrong[0]


def full(port, connections, paths):
    """Every file a request, in order, over several connections."""
    todo = queue.SimpleQueue()
    for path in paths:
        todo.put(path)
    counts = [collections.Counter() for _ in range(connections)]
    requests = []

    def work(worker, link):
        while True:
            try:
                path = todo.get_nowait()
            except queue.Empty:
                return
            with open(path, "rb") as file:
                body = file.read()
            post(link, body, f"bench{worker}", counts[worker])
            requests.append(path)

    begun = time.monotonic()
    spread(port, connections, work)
    return {"begun": begun, "ended": time.monotonic(), "requests": len(requests),
            **{word: sum(c[word] for c in counts) for word in WORDS}}


def bodies(paths, lines):
    """Requests of so many lines each, without end: when the files are used up they come again as
    events of another source, so that every line is new."""
    for turn in itertools.count():
        stream = itertools.chain.from_iterable(open(path, "rb") for path in paths)
        while chunk := list(itertools.islice(stream, lines)):
            body = b"".join(chunk)
            yield body if turn == 0 else body.replace(SOURCE, SOURCE + b"-%d" % turn)


def paced(port, threads, rate, seconds, lines, paths):
    """Requests at equal distances, taken up by whichever thread is free."""
    stream, lock = enumerate(itertools.islice(bodies(paths, lines), int(rate * seconds / lines))), threading.Lock()
    latencies, waits, counts = [], [], [collections.Counter() for _ in range(threads)]
    begun = time.monotonic() + 0.05

    def work(worker, link):
        while True:
            with lock:
                n, body = next(stream, (None, None))
            if body is None:
                return
            due = begun + n * lines / rate
            if (ahead := due - time.monotonic()) > 0:
                time.sleep(ahead)
            sent = time.monotonic()
            post(link, body, f"bench{worker}", counts[worker])
            done = time.monotonic()
            latencies.append(done - due)
            waits.append(done - sent)

    spread(port, threads, work)
    return {"begun": begun, "ended": time.monotonic(), "requests": len(latencies), "taken": sum(c["taken"] for c in counts),
            "latencies": latencies, "from_sending": waits}


def stream(port, connections):
    """What comes on standard input, in requests of whole lines; told so far every few seconds."""
    counts, left, lock = [collections.Counter() for _ in range(connections)], b"", threading.Lock()
    begun, shown = time.monotonic(), time.monotonic()

    def following():
        nonlocal left
        chunk = sys.stdin.buffer.read(REQUEST)
        end = chunk.rfind(b"\n") + 1
        body, left = left + chunk[:end], chunk[end:]
        if not chunk:
            body, left = left, b""
        return body

    def told():
        return {"begun": begun, **{word: sum(c[word] for c in counts) for word in WORDS}}

    def work(worker, link):
        nonlocal shown
        while True:
            with lock:
                body = following()
                if time.monotonic() - shown > 2:
                    shown = time.monotonic()
                    print(json.dumps(told()), flush=True)
            if not body:
                return
            post(link, body, f"bench{worker}", counts[worker])

    spread(port, connections, work)
    return told()


def main():
    kind, port, workers, *rest = sys.argv[1:]
    if kind == "full":
        told = full(int(port), int(workers), rest)
    elif kind == "stream":
        told = stream(int(port), int(workers))
    else:
        rate, seconds, lines, *paths = rest
        told = paced(int(port), int(workers), float(rate), float(seconds), int(lines), paths)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
