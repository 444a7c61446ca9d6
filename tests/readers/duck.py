"""duck.py FOLDER QUERY: what DuckDB's delta extension answers over a lake; {table} in the query
stands for a table's folder. Nothing is downloaded: the extension comes as a package."""

import pathlib
import sys

import duckdb
import duckdb_extension_delta

from plain import rows, say

folder, query = sys.argv[1:]
home = pathlib.Path(duckdb_extension_delta.__file__).parent
extension = next(home.glob(f"extensions/v{duckdb.__version__}/delta.duckdb_extension"))
db = duckdb.connect()
db.execute("SET TimeZone = 'UTC'")
db.execute(f"LOAD '{extension}'")
answer = db.execute(query.replace("{lake}", folder))
say(rows([d[0] for d in answer.description], answer.fetchall()))
