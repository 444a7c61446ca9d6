"""What is sent: events in files of a request each, and what the server must hold once all were taken."""
import dataclasses
import json
import pathlib
import subprocess

import events
from server import Failed

#: Bytes of a request.
REQUEST = 2 << 20


@dataclasses.dataclass
class Feed:
    """Events of one kind."""

    #: What they are, in words.
    name: str
    folder: pathlib.Path
    paths: list
    #: What is sent, and what a peer that knows no repeats has afterwards.
    lines: int
    bytes: int
    #: What the server must say of the lines: new ones, other words under a known id, no events.
    taken: int
    conflicts: int
    refused: int
    contacts: int
    #: Sources of the events, as a pattern of SQL: the server writes records of its own beside them.
    sources: str
    #: Where the truth is, for `callboard verify`.
    truth: pathlib.Path | None = None

    @property
    def records(self):
        """Rows of `records`: a conflicting repeat is one too."""
        return self.taken + self.conflicts

    def about(self):
        """For the notes."""
        return (f"{self.name}: {self.lines:,} events of {self.contacts:,} contacts, {self.bytes / 2**20:.0f} MiB, "
                f"{self.bytes / self.lines:.0f} bytes an event, {len(self.paths)} requests")


def made_up(files):
    """Files that `events.write` made, or some of them; contacts are those that have begun by their end."""
    last, lines = files[-1], sum(f.lines for f in files)
    return Feed("made-up calls", last.path.parent, [f.path for f in files], lines, sum(f.bytes for f in files),
                lines, 0, 0, last.contacts, events.SOURCE)


def simulated(binary, folder, contacts, *options):
    """What `callboard simulate` writes, cut into requests; sites send beside each other."""
    command = [binary, "simulate", "--contacts", str(contacts), "--out", folder, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200)
    if done.returncode != 0:
        raise Failed("callboard simulate: " + (done.stderr.strip().splitlines() or ["?"])[-1])
    counts = json.loads((folder / "manifest.json").read_text())["counts"]
    requests = folder / "requests"
    requests.mkdir()
    # The setup comes first; nothing else depends on an order.
    sources = sorted((folder / "events").iterdir(), key=lambda p: (p.name != "setup.ndjson", p.name))
    paths, size, streams = [], 0, [open(p, "rb") for p in sources]
    while streams:
        for stream in list(streams):
            lines = stream.readlines(REQUEST)
            if not lines:
                stream.close()
                streams.remove(stream)
                continue
            path = requests / f"{len(paths):05d}.ndjson"
            # The server passes over blank lines, the peers stop at them; they are not counted as lines either.
            size += path.write_bytes(b"".join(line for line in lines if line.strip()))
            paths.append(path)
    for path in sources:
        path.unlink()
    return Feed("simulated centre, " + " ".join(options).replace("--", ""), requests, paths, counts["lines"], size,
                counts["taken"], counts["conflicts"], counts["refused"], counts["contacts"], "/sim/%", folder)
