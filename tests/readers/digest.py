"""digest.py FOLDER: number and digest of the rows of every table of a lake, and of each of its days,
as DuckDB reads them, with the number that the deltalake package reads."""

import pathlib
import sys

import duckdb
import duckdb_extension_delta
from deltalake import DeltaTable

from plain import say

folder = pathlib.Path(sys.argv[1])
home = pathlib.Path(duckdb_extension_delta.__file__).parent
extension = next(home.glob(f"extensions/v{duckdb.__version__}/delta.duckdb_extension"))
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.execute(f"LOAD '{extension}'")
answer = {}
for table in sorted(p for p in folder.iterdir() if (p / "_delta_log").is_dir()):
    # When a row was corrected is told by no record: it is not part of what must come out equal.
    columns = "SELECT COLUMNS(c -> c <> 'corrected_at')"
    text = (
        f"SELECT t::VARCHAR AS row, day::VARCHAR AS day"
        f" FROM ({columns} FROM delta_scan('{table}')) t"
    )
    digest = "md5(coalesce(string_agg(row, chr(10) ORDER BY row), ''))"
    rows, whole = db.execute(f"SELECT count(*), {digest} FROM ({text})").fetchone()
    days = db.execute(f"SELECT day, {digest} FROM ({text}) GROUP BY day ORDER BY day").fetchall()
    answer[table.name] = {
        "rows": rows,
        "digest": whole,
        "deltalake": DeltaTable(table).to_pyarrow_table().num_rows,
        "days": dict(days),
    }
say(answer)
