"""lake.py FOLDER TABLE...: what the deltalake package reads from a lake."""

import sys

from deltalake import DeltaTable

from plain import plain, say

folder, *tables = sys.argv[1:]
answer = {}
for name in tables:
    table = DeltaTable(f"{folder}/{name}").to_pyarrow_table()
    answer[name] = [plain(row) for row in table.to_pylist()]
say(answer)
