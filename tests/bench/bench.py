"""What all figures share: the binary, the sizes, a folder to work in, and made-up events."""
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time

import events
import feeds
import loading
from server import Failed, Server

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent


@dataclasses.dataclass
class Sizes:
    """How much is measured."""

    contacts: int = 250_000
    #: Contacts of a simulated centre for ingest and for the bytes of an event.
    simulated: int = 100_000
    #: Contacts of a simulated day: 1,000 seats are taken at once in its busiest hour.
    day: int = 80_000
    report_contacts: int = 1_000_000
    many_contacts: int = 10_000_000
    report_runs: int = 11
    seconds: int = 30
    probes: int = 50
    recordings: int = 1_000
    #: Bytes of captures that each adapter reads.
    adapter_megabytes: int = 50
    connections: int = 4
    log_bytes: int = 64 << 20
    #: Events a second of the figures that are asked at a given rate.
    pace: int = 5_000
    #: Commits that are wanted, and seconds after which there have been enough.
    commits: int = 10_000
    commit_seconds: int = 2_700
    #: Contacts of a simulated centre at scale M: only asked for.
    simulated_m: int = 1_000_000
    #: Scale L, of which so many days are streamed: fifty million events.
    stream_contacts: int = 10_000_000
    stream_days: int = 90
    stream_until: int = 41
    #: Contacts that are open at a time; seconds until memory is looked at, and for how long.
    open: int = 50_000
    ramp: int = 390
    steady: int = 300
    #: Seconds of doing nothing.
    idle: int = 60
    #: Watchers of a board.
    boards: tuple = (1_000, 5_000)
    #: Contacts that an outside reader waits for, and the seconds between the first and the last.
    outside: int = 24
    outside_seconds: int = 75


QUICK = Sizes(adapter_megabytes=2, contacts=10_000, simulated=2_000, day=2_000, report_contacts=25_000, many_contacts=50_000, simulated_m=5_000,
              stream_contacts=20_000, stream_days=10, stream_until=4, report_runs=5,
              seconds=5, probes=8, recordings=4, log_bytes=4 << 20, pace=1_000, commits=600, commit_seconds=60, open=1_000,
              ramp=10, steady=15, idle=10, boards=(200,), outside=4, outside_seconds=6)


class Bench:
    """One run."""

    project = PROJECT

    def __init__(self, binary, work, sizes, wer):
        self.binary, self.work, self.sizes, self.wer = binary, work, sizes, wer
        self.rate = None
        self.notes = []
        #: Pictures by name, SVG.
        self.plots = {}
        self._files = {}
        self._shapes = {}
        self._made = 0

    def say(self, text):
        """Progress, on the terminal only."""
        print(f"  {text}", file=sys.stderr, flush=True)

    def note(self, text):
        """Something that belongs under the table."""
        self.notes.append(text)

    def files(self, contacts):
        """Events of so many contacts, made once."""
        if contacts not in self._files:
            self.say(f"making events of {contacts:,} contacts")
            self._files[contacts] = events.write(self.work / f"events-{contacts}", contacts)
        return self._files[contacts]

    def made_up(self, contacts):
        """The same as a feed."""
        return feeds.made_up(self.files(contacts))

    def simulated(self, contacts, *options):
        """Events of a simulated centre with so many contacts, made once."""
        key = (contacts, *options)
        if key not in self._files:
            self.say(f"simulating {contacts:,} contacts")
            self._files[key] = feeds.simulated(self.binary, self.folder("simulated"), contacts, *options)
        return self._files[key]

    def shape(self, feed):
        """The file that tells peers a feed's columns."""
        if feed.folder not in self._shapes:
            self.say("finding the columns")
            self._shapes[feed.folder] = loading.shape(self, feed, self.folder("shape.json"))
        return self._shapes[feed.folder]

    def folder(self, name):
        """A fresh folder's name."""
        self._made += 1
        return self.work / f"{self._made:02d}-{name}"

    def script(self, name):
        """A file beside this one."""
        return HERE / name

    def example(self, name):
        """An example program of a crate, built with the profile of the binary."""
        program = self.binary.parent / "examples" / name
        if not program.is_file():
            raise Failed(f"{program} is not built: cargo build --release --workspace --example {name}")
        return program

    def serve(self, data, config="", wait=True):
        """A server; unless told otherwise, one that is ready."""
        return Server(self.binary, data, config, wait)

    def loader(self, *args):
        """The sender, started."""
        return subprocess.Popen([sys.executable, HERE / "load.py", *map(str, args)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def loaded(self, server, *args):
        """The sender, run to its end: what it tells. Stopped when the server takes the machine's memory."""
        child = self.loader(*args)
        begun = time.monotonic()
        try:
            while True:
                try:
                    out, err = child.communicate(timeout=0.5)
                    break
                except subprocess.TimeoutExpired:
                    self._watch(server)
                    if time.monotonic() - begun > 900:
                        raise Failed("the sender did not come to its end in 900 s") from None
        except BaseException:
            child.kill()
            child.communicate()
            raise
        if child.returncode != 0:
            raise Failed("the sender: " + (err.strip().splitlines() or ["it ended without a word"])[-1])
        return json.loads(out)

    @staticmethod
    def _watch(server):
        """Others may need the machine too: a third of its memory is the most that a figure may take."""
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20
        if server.memory()[2] > total / 3:
            raise Failed(f"the server holds {server.memory()[2]:,.0f} MiB, more than a third of the machine's memory")

    def send(self, server, feed):
        """Sends a feed as fast as it is taken; the server must say of its lines what is true of them."""
        told = self.loaded(server, "full", server.port, self.sizes.connections, *feed.paths)
        got, wanted = [told[w] for w in ("taken", "conflicts", "refused")], [feed.taken, feed.conflicts, feed.refused]
        if got != wanted:
            raise Failed(f"{got} lines were new, in conflict and refused, and {wanted} are")
        return told

    def peer(self, script, *args):
        """A peer's script in a process of its own: the JSON that it prints."""
        done = subprocess.run([sys.executable, script, *map(str, args)], capture_output=True, text=True, timeout=900)
        if done.returncode != 0:
            raise Failed(f"{pathlib.Path(script).name}: " + (done.stderr.strip().splitlines() or ["?"])[-1])
        return json.loads(done.stdout)
