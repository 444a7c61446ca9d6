"""Many watchers of the board in a process of their own.

    watchers.py PORT BOARDS SECONDS

Connects BOARDS times to /events/board, says `ready` when each has its first frame, watches for SECONDS and
prints one line of JSON: frames received, and for each frame that came to all the milliseconds between the
first and the last watcher who got it.
"""
import asyncio
import json
import sys
import time

ASK = b"GET /events/board HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n"


async def watch(port, n, came, first, over):
    """One watcher: notes the moment of each frame by its id."""
    # From several addresses: one may hold half of the places for connections.
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20, local_addr=(f"127.0.0.{2 + n % 8}", 0))
    writer.write(ASK)
    status = await reader.readline()
    if b" 200 " not in status:
        raise RuntimeError(f"watcher {n}: {status!r}")
    seen = 0
    while not over.is_set():
        line = await reader.readline()
        if not line:
            raise RuntimeError(f"watcher {n}: the stream ended")
        if line.startswith(b"id:"):
            seen += 1
            came.setdefault(line[3:].strip(), []).append(time.monotonic())
            if seen == 1:
                first.release()


async def main():
    port, boards, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    came, first, over = {}, asyncio.Semaphore(0), asyncio.Event()
    tasks = []
    for n in range(boards):
        tasks.append(asyncio.create_task(watch(port, n, came, first, over)))
        if n % 50 == 49:
            await asyncio.sleep(0.02)
    for _ in range(boards):
        await asyncio.wait_for(first.acquire(), 60)
    print("ready", flush=True)
    came.clear()
    await asyncio.sleep(seconds)
    ended = [t for t in tasks if t.done()]
    for task in ended:
        task.result()
    for task in tasks:
        task.cancel()
    spread = [round((max(at) - min(at)) * 1000, 2) for at in came.values() if len(at) == boards]
    print(json.dumps({"frames": len(came), "received": sum(map(len, came.values())), "to_all": len(spread), "spread_ms": sorted(spread)}), flush=True)


asyncio.run(main())
