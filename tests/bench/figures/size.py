"""Bytes of an event in the lake once its files were put together: what arrived and what was made of it."""
import json
import os

import lake
import loading
from table import Row, number

RECORDS_AIM, DERIVED_AIM = 40, 1.0


def linked(bench, name, files):
    """A folder with just the files that count: old versions lie beside them in the lake."""
    folder = bench.folder(f"rows-{name}")
    folder.mkdir()
    for n, file in enumerate(files):
        os.link(file, folder / f"{n:05d}.parquet")
    return folder


def measure(bench):
    """A simulated centre, settled and put together; the same rows in chdb's MergeTree."""
    feed = bench.simulated(bench.sizes.simulated, "--disorder", "mild", "--poison", "0")
    data = bench.folder("size")
    whole = loading.all_in(bench, feed, data)
    tables = {name: lake.files(data, name) for name in lake.tables(data)}
    records = tables["records"]
    derived = {name: told for name, told in tables.items() if name not in lake.ARRIVED and told["rows"]}
    order = lake.order(bench.project)
    listed = bench.folder("tables.json")
    listed.write_text(json.dumps({name: {"files": str(linked(bench, name, told["files"])), "order": order[name]}
                                  for name, told in derived.items()}))
    bench.say("chdb holds the same rows")
    same = bench.peer(bench.script("mergetree.py"), "rows", bench.folder("chdb-rows"), listed)
    for name, told in derived.items():
        if same[name]["rows"] != told["rows"]:
            raise loading.Failed(f"chdb has {same[name]['rows']} rows of {name}, and the lake {told['rows']}")
    events = loading.peer(bench, feed, "chdb", 2)["bytes"]
    ours, theirs = sum(t["bytes"] for t in derived.values()), sum(t["bytes"] for t in same.values())
    apart = "; ".join(f"{name} {number(told['rows'])} rows in {len(told['files'])} files, {told['bytes'] / told['rows']:.1f} B a row "
                      f"(chdb {same[name]['bytes'] / told['rows']:.1f})" for name, told in sorted(derived.items()))
    bench.note(f"Size. {feed.about()}; {whole['note']}. "
               f"Parquet files of the newest versions; the Delta logs and the checksums are not in it. records: {number(records['rows'])} "
               f"rows in {len(records['files'])} files, with the bytes that arrived, names and hashes; chdb beside it holds parsed "
               f"columns and not those bytes. Derived: {apart}. chdb: MergeTree, ZSTD(3), our order of rows, one part a table, the "
               f"smaller of plain texts and LowCardinality.")
    return [
        Row("bytes an event, records", f"{records['bytes'] / records['rows']:.1f} B", f"chdb's events {events / feed.lines:.1f} B",
            f"{records['bytes'] / records['rows'] / (events / feed.lines):.2f}", f"at most {RECORDS_AIM} B",
            records["bytes"] / feed.records <= RECORDS_AIM),
        Row("bytes an event, derived tables", f"{ours / feed.records:.1f} B", f"chdb {theirs / feed.records:.1f} B",
            f"{ours / theirs:.2f}", f"at most {DERIVED_AIM:.0f} × chdb", ours <= DERIVED_AIM * theirs),
    ]
