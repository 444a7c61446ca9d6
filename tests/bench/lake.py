"""The lake as an outside reader sees it: Python's deltalake on the tables' folders."""
import json
import pathlib
import time

import pyarrow
from deltalake import DeltaTable

from server import PATIENCE, Failed

#: Tables that hold what arrived; every other one is made of it.
ARRIVED = ("records", "dead_letters", "audio")


class Look:
    """Follows one table without asking the server: cheap as long as nothing was committed."""

    def __init__(self, data, table):
        self.folder = data / "lake" / table
        self.table = None
        self.version = -1

    def moved(self):
        """Whether there are versions that were not seen yet; the newest is `version` then."""
        before = self.version
        while (self.folder / "_delta_log" / f"{self.version + 1:020d}.json").exists():
            self.version += 1
        return self.version > before

    def wait(self, seconds=120):
        """Waits for a new version."""
        begun = time.monotonic()
        while not self.moved():
            if time.monotonic() - begun > seconds:
                raise Failed(f"no commit to {self.folder.name} within {seconds} s of an event")
            time.sleep(0.001)

    def open(self):
        """The table as it is now."""
        if self.table is None:
            self.table = DeltaTable(self.folder)
        else:
            self.table.update_incremental()
        return self.table


def tables(data):
    """Names of the tables that are there."""
    return sorted(p.parent.name for p in (data / "lake").glob("*/_delta_log"))


def files(data, table):
    """Parquet files of the newest version: paths, bytes and rows."""
    opened = DeltaTable(data / "lake" / table)
    actions = pyarrow.table(opened.get_add_actions(flatten=True)).to_pydict() if opened.file_uris() else {}
    return {"files": opened.file_uris(), "bytes": sum(actions.get("size_bytes", [])),
            "rows": sum(n or 0 for n in actions.get("num_records", []))}


def settled(data, server, quiet=12, pause=0.5):
    """Waits until no table had a commit for so many seconds: all that can settle has, and upkeep is done."""
    looks = [Look(data, table) for table in tables(data)]
    begun = last = time.monotonic()
    while time.monotonic() - last < quiet:
        if any([look.moved() for look in looks]):
            last = time.monotonic()
        if time.monotonic() - begun > PATIENCE:
            raise Failed(f"the lake did not come to rest in {PATIENCE} s")
        if server.child.poll() is not None:
            raise Failed("the server ended while the lake came to rest")
        time.sleep(pause)


def derived(data, pause=0.5):
    """Waits until no day's intervals are due; a stop does not wait for them for long, the next start makes them."""
    begun = time.monotonic()
    while json.loads((data / "state/commit.json").read_text().splitlines()[0])["derive_days"]:
        if time.monotonic() - begun > PATIENCE:
            raise Failed(f"intervals were not made in {PATIENCE} s")
        time.sleep(pause)


def upkeep(data):
    """How often files of a table were put together, and how many checkpoints there are."""
    together = checkpoints = 0
    for log in (data / "lake").glob("*/_delta_log"):
        checkpoints += len(list(log.glob("*.checkpoint*.parquet")))
        for commit in log.glob("[0-9]*.json"):
            together += any(json.loads(line).get("commitInfo", {}).get("operation") == "OPTIMIZE"
                            for line in commit.read_text().splitlines() if '"commitInfo"' in line)
    return together, checkpoints


def order(project):
    """How each table is sorted, from the reference that is made of the tables' descriptions."""
    out, name = {}, None
    for line in pathlib.Path(project / "docs" / "reference" / "tables.md").read_text().splitlines():
        if line.startswith("## "):
            name = line[3:].strip()
        elif "Sorted by " in line:
            out[name] = [word.strip(" `.") for word in line.split("Sorted by ")[1].split(",")]
    return out
