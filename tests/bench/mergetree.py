"""ClickHouse's engine in the process (chdb), the peer: one task a process, JSON out.

    mergetree.py load THREADS FOLDER NDJSON SHAPE    NDJSON files into a MergeTree, ZSTD(3)
    mergetree.py rows FOLDER TABLES                  the rows of Parquet files in MergeTrees, ZSTD(3)
"""
import json
import pathlib
import resource
import sys
import time

from chdb.session import Session

import shape

ENGINE = "ENGINE = MergeTree ORDER BY ({order}) SETTINGS default_compression_codec = 'ZSTD(3)', allow_nullable_key = 1"


def used():
    """CPU seconds of this process so far, all threads."""
    now = resource.getrusage(resource.RUSAGE_SELF)
    return now.ru_utime + now.ru_stime


def number(session, text):
    """The only number of a query."""
    return int(str(session.query(text, "TSV")).strip())


def stored(session, table):
    """Bytes of a table's parts, once all of them are one."""
    session.query(f"OPTIMIZE TABLE {table} FINAL")
    return number(session, "SELECT sum(bytes_on_disk) FROM system.parts"
                           f" WHERE active AND database = 'bench' AND table = '{table.split('.')[1]}'")


def load(threads, folder, files, shapes):
    """Events with the columns that they have, ordered by source and time."""
    columns = json.loads(pathlib.Path(shapes).read_text())
    types = {name: shape.click(inner) for name, inner in columns.items()}
    types |= {"source": "LowCardinality(String)", "time": "DateTime64(3, 'UTC')"}
    session = Session(folder)
    session.query(f"SET max_threads = {int(threads)}, max_insert_threads = {int(threads)},"
                  " date_time_input_format = 'best_effort'")
    session.query("CREATE DATABASE bench")
    listed = ", ".join(f"`{name}` {kind}" for name, kind in types.items())
    session.query(f"CREATE TABLE bench.events ({listed}) " + ENGINE.format(order="source, time"))
    wall, cpu = time.perf_counter(), used()
    session.query(f"INSERT INTO bench.events SELECT * FROM file('{files}/*.ndjson', JSONEachRow, '{quoted(listed)}')")
    wall, cpu = time.perf_counter() - wall, used() - cpu
    return {"wall": wall, "cpu": cpu, "rows": number(session, "SELECT count() FROM bench.events"),
            "contacts": number(session, "SELECT uniqExact(data.contact_id) FROM bench.events"
                                        " WHERE data.contact_id IS NOT NULL"),
            "bytes": stored(session, "bench.events")}


def quoted(text):
    """Inside quotes of SQL."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


def rows(folder, tables):
    """The same rows: each table as its columns come, and with LowCardinality where a text has few
    different values; the smaller one counts."""
    session = Session(folder)
    session.query("CREATE DATABASE bench")
    out = {}
    for name, told in json.loads(pathlib.Path(tables).read_text()).items():
        source = f"file('{told['files']}/*.parquet', Parquet)"
        described = str(session.query(f"DESCRIBE {source}", "TSVRaw")).strip().splitlines()
        columns = dict(line.split("\t")[:2] for line in described)
        texts = [c for c, kind in columns.items() if kind in ("String", "Nullable(String)")]
        counted = str(session.query("SELECT " + ", ".join(f"uniq(`{c}`)" for c in texts) + f" FROM {source}", "TSV"))
        few = {c for c, n in zip(texts, counted.split()) if int(n) < shape.FEW}
        sizes = []
        for chosen in (set(), few):
            listed = ", ".join(f"`{c}` " + (f"LowCardinality({kind})" if c in chosen else kind)
                               for c, kind in columns.items())
            session.query(f"CREATE TABLE bench.{name} ({listed}) " + ENGINE.format(order=", ".join(told["order"])))
            session.query(f"INSERT INTO bench.{name} SELECT * FROM {source}")
            count = number(session, f"SELECT count() FROM bench.{name}")
            sizes.append(stored(session, f"bench.{name}"))
            session.query(f"DROP TABLE bench.{name} SYNC")
        out[name] = {"rows": count, "bytes": min(sizes)}
    return out


print(json.dumps({"load": load, "rows": rows}[sys.argv[1]](*sys.argv[2:])))
