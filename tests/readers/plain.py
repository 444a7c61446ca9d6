"""Values of any reader in one plain form, that of the server's JSON, so that they compare."""

import datetime
import decimal
import json
import math
import os
import sys


def plain(value):
    """Times as UTC with microseconds, bytes as hex, whole numbers as whole."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if hasattr(value, "to_pydatetime"):  # pandas' stamps, NaT among them
        value = value.to_pydatetime()
        if value != value:
            return None
        if value.tzinfo is None:  # every time here has a zone; pandas makes stamps of days
            return value.date().isoformat()
    if hasattr(value, "item"):  # numpy's scalars
        value = value.item()
    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return int(value) if value.is_integer() else value
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return value


def rows(names, values):
    """Rows as objects."""
    return [{n: plain(v) for n, v in zip(names, row)} for row in values]


def say(answer):
    """The answer to the test, one JSON document, and the end of the script: a library's thread that
    still runs while the interpreter winds down can abort it when all is said already."""
    json.dump(answer, sys.stdout)
    sys.stdout.flush()
    os._exit(0)
