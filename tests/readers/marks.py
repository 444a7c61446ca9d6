"""marks.py TABLE APPLICATION...: transaction marks as the deltalake package reads them."""

import sys

from deltalake import DeltaTable

from plain import say

table = DeltaTable(sys.argv[1])
say({name: table.transaction_version(name) for name in sys.argv[2:]})
