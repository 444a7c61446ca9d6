"""DuckDB, the peer: one task a process, its own CPU and wall seconds as JSON.

    duck.py load THREADS DATABASE FOLDER SHAPE      NDJSON files into a table, written to disk
    duck.py report TABLE RESULT RUNS SQL            a query over a Delta table's Parquet files
"""
import json
import pathlib
import resource
import sys
import time

import duckdb

import shape


def used():
    """CPU seconds of this process so far."""
    now = resource.getrusage(resource.RUSAGE_SELF)
    return now.ru_utime + now.ru_stime


def timed(work):
    """Runs something; gives its result, wall and CPU seconds."""
    wall, cpu = time.perf_counter(), used()
    result = work()
    return result, time.perf_counter() - wall, used() - cpu


def load(threads, database, folder, shapes):
    """Reads all files into a table of a database file and writes it to disk; told the columns."""
    columns = {name: shape.duck(inner) for name, inner in json.loads(pathlib.Path(shapes).read_text()).items()}
    listed = ", ".join(f"\"{name}\": '{kind}'" for name, kind in (columns | {"time": "TIMESTAMPTZ"}).items())
    db = duckdb.connect(database)
    db.execute(f"SET threads = {int(threads)}")

    def work():
        db.execute(f"CREATE TABLE events AS SELECT * FROM read_json('{folder}/*.ndjson', format = 'newline_delimited',"
                   f" columns = {{{listed}}})")
        db.execute("CHECKPOINT")

    _, wall, cpu = timed(work)
    rows = db.execute("SELECT count(*) FROM events").fetchone()[0]
    contacts = db.execute("SELECT count(DISTINCT data.contact_id) FROM events").fetchone()[0]
    return {"wall": wall, "cpu": cpu, "rows": rows, "contacts": contacts,
            "bytes": pathlib.Path(database).stat().st_size}


def report(table, result, runs, query):
    """The query once as it comes and then so many times; its rows go to a Parquet file."""
    from deltalake import DeltaTable
    files = DeltaTable(table).file_uris()
    db = duckdb.connect()
    db.execute("SET TimeZone = 'UTC'")
    db.execute("CREATE TABLE targets(queue VARCHAR, threshold_ms BIGINT, short_ms BIGINT, target_id VARCHAR,"
               " valid_from TIMESTAMPTZ, valid_to TIMESTAMPTZ)")
    listed = "[" + ", ".join(f"'{f}'" for f in files) + "]"
    text = pathlib.Path(query).read_text().replace("{segments}", f"read_parquet({listed}, hive_partitioning = true)")
    times = []
    for _ in range(int(runs) + 1):
        answer, wall, cpu = timed(lambda: db.execute(text).to_arrow_table())
        times.append((wall, cpu))
    import pyarrow.parquet
    pyarrow.parquet.write_table(answer, result)
    return {"first": times[0], "warm": times[1:], "rows": answer.num_rows, "files": len(files)}


print(json.dumps({"load": load, "report": report}[sys.argv[1]](*sys.argv[2:])))
