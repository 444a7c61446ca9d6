"""search.py DATA_FOLDER TEXT...: where any of these texts is left, by readers that are not ours:
every version of every table that the deltalake package can still load, every table as DuckDB reads
it, every Parquet file there is (also those of older versions, and checkpoints) as pyarrow reads it,
and the bytes of every file. A text counts where no letter or digit stands beside it."""

import pathlib
import re
import sys

import duckdb
import duckdb_extension_delta
import pyarrow.parquet
from deltalake import DeltaTable

from plain import say

root = pathlib.Path(sys.argv[1])
texts = "|".join(re.escape(t) for t in sys.argv[2:])
pattern = re.compile(f"(?<![0-9A-Za-z])(?:{texts})(?![0-9A-Za-z])".encode())
found, versions = {}, {}


def look(place, value):
    """Counts in a value of any shape."""
    if value is None or isinstance(value, (bool, int, float)):
        return
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        times = len(pattern.findall(value))
        if times:
            found[place] = found.get(place, 0) + times
    elif isinstance(value, dict):
        for key, inner in value.items():
            look(place, key)
            look(place, inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            look(place, inner)


def rows(place, table):
    for row in table.to_pylist():
        look(place, row)


home = pathlib.Path(duckdb_extension_delta.__file__).parent
extension = next(home.glob(f"extensions/v{duckdb.__version__}/delta.duckdb_extension"))
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.execute(f"LOAD '{extension}'")
for folder in sorted(p for p in (root / "lake").iterdir() if (p / "_delta_log").is_dir()):
    name = folder.name
    newest = DeltaTable(folder).version()
    versions[name] = []
    for version in range(newest + 1):
        try:
            table = DeltaTable(folder, version=version).to_pyarrow_table()
        except Exception:  # it is gone, or its files are
            continue
        versions[name].append(version)
        rows(f"{name}, a version", table)
    rows(f"{name}, DuckDB", db.execute(f"SELECT * FROM delta_scan('{folder}')").to_arrow_table())
files = 0
for path in root.rglob("*"):
    if not path.is_file():
        continue
    files += 1
    place = path.relative_to(root).parts
    look(f"bytes of {'/'.join(place[:2])}", path.read_bytes())
    if path.suffix == ".parquet" and "_sums" not in place:
        rows(f"Parquet in {'/'.join(place[:2])}", pyarrow.parquet.ParquetFile(path).read())
say({"found": found, "versions": versions, "files": files})
