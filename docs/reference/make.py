#!/usr/bin/env python3
"""Makes metrics.md, tables.md and measurements.md beside it: `python3 docs/reference/make.py`.

They are made from what the program itself is made from: the headers of query/metrics/*.sql, the
descriptions in ingest/model/src/tables/*.rs and the list in ingest/model/src/measures.rs. With --check it changes nothing and fails when a page
is out of date.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

KINDS = {
    "String": "text",
    "Vec<String>": "list of text",
    "i64": "integer",
    "f64": "float",
    "bool": "boolean",
    "Instant": "timestamp, UTC",
    "Day": "date, UTC",
    "Vec<u8>": "bytes",
}


def needs(text):
    facts = text.split(", ")
    must = [f"`{f}`" for f in facts if not f.startswith("~")]
    better = [f"`{f[1:]}`" for f in facts if f.startswith("~")]
    out = f"Needs of its source: {', '.join(must)}"
    return out + (f"; without {', '.join(better)} an estimate" if better else "")


def metrics():
    order = (ROOT / "query/src/metrics.rs").read_text()
    names = re.findall(r'"(\w+)",', order[order.index("files![") : order.index("];")])
    files = {p.stem for p in (ROOT / "query/metrics").glob("*.sql")}
    if files != set(names):
        sys.exit(f"query/src/metrics.rs and query/metrics differ: {files ^ set(names)}")
    out = "# Metrics\n\nMade from `query/metrics/*.sql`; SQL answers the same in `callboard.metrics`. What a metric needs of its\nsource are facts of `callboard.observability`, where it stands which platform can say them.\n"
    for name in names:
        head, body = {}, []
        for line in (ROOT / f"query/metrics/{name}.sql").read_text().splitlines():
            if line.startswith("-- "):
                key, _, value = line[3:].partition(": ")
                head[key] = value.strip()
            else:
                body.append(line.strip())
        limits = ""
        if "untold" in head:
            limits += f" Platforms are not compared by it where one {head['untold']}."
        if "unlike" in head:
            limits += f" Platforms are not compared by it where {head['unlike']}."
        out += (
            f"\n## {head['title']} (`{name}`)\n\n{head['meaning']}. Unit: {head['unit']}. "
            f"Counted over `callboard.{head['base']}` by {head['dims']}. {head['attribution']}. "
            f"Source: {head['source']}. {needs(head['needs'])}.{limits}\n\n```sql\n{' '.join(body).strip()}\n```\n"
        )
    return out


def tables():
    source = ROOT / "ingest/model/src/tables"
    order = re.findall(r"&(\w+),", re.search(r"TABLES: .*?\[(.*?)\];", (source / "mod.rs").read_text(), re.S)[1])
    found = {}
    for path in sorted(source.glob("*.rs")):
        if path.name == "spec.rs":
            continue
        for block in re.findall(r"^table! \{\n(.*?)^\}", path.read_text(), re.S | re.M):
            doc = " ".join(re.findall(r"^\s*/// ?(.*)$", block, re.M))
            head = re.search(r'=> (\w+) = "(\w+)", id "(\w+)", sort \[(.*?)\]', block, re.S)
            if not head:
                sys.exit(f"cannot read a table of {path}")
            columns = re.findall(r'^\s*(\w+): ([\w<>]+) =\s*"((?:[^"\\]|\\.)*)"', block, re.M)
            count = len(re.findall(r"^\s*\w+: [\w<>]+ =", block, re.M))
            if count != len(columns):
                sys.exit(f"{path}: {count} columns of {head[2]}, {len(columns)} read")
            found[head[1]] = (head[2], head[3], re.findall(r'"(\w+)"', head[4]), doc, columns)
    if set(order) != set(found):
        sys.exit(f"tables not read or not listed: {set(order) ^ set(found)}")
    out = (
        "# Tables of the lake\n\n"
        "Made from the descriptions in `ingest/model/src/tables/`. Every table is a Delta table below\n"
        "`lake/` of the data folder, or below the configured address, with a partition column `day` (UTC)\n"
        "beside what is listed. In SQL the schema `callboard` shows most of them as views that put what is\n"
        "not yet in the lake beside it; a view may have more columns or fewer, and `\\d+` in psql shows\n"
        "them with their meanings. \"May be NULL\" means not known, or does not apply; never 0.\n"
    )
    for key in order:
        name, ident, sort, doc, columns = found[key]
        out += f"\n## {name}\n\n{doc}\n\nIdentity: `{ident}`. Sorted by {', '.join(f'`{s}`' for s in sort)}.\n\n"
        out += "| column | type | may be NULL | meaning |\n| --- | --- | --- | --- |\n"
        for column, kind, meaning in columns:
            inner = re.fullmatch(r"Option<(.*)>", kind)
            plain = KINDS[inner[1] if inner else kind]
            meaning = meaning.replace('\\"', '"').replace("|", "\\|")
            out += f"| `{column}` | {plain} | {'yes' if inner else ''} | {meaning} |\n"
    return out


def measures():
    source = (ROOT / "ingest/model/src/measures.rs").read_text()
    body = source[source.index("pub static MEASURES") : source.index("\n];")]
    left_out = re.search(r'LEFT_OUT: &str = "(\w+)"', source)[1]
    out = (
        "# Measurements\n\n"
        "Made from `ingest/model/src/measures.rs`: names that mean the same whoever measured. Sources may\n"
        "have others; those keep the source's name and unit. Members of WebRTC's `getStats` are taken\n"
        "under their own names and put into our units. [How measurements come](../guides/measurements.md).\n\n"
        "| name | unit | meaning | `getStats` |\n| --- | --- | --- | --- |\n"
    )
    found = re.findall(r"measure\(\s*(\"\w+\"|LEFT_OUT),\s*\"([^\"]+)\",\s*\"([^\"]+)\",\s*&\[(.*?)\],?\s*\)", body, re.S)
    if len(found) != body.count("measure("):
        sys.exit(f"{body.count('measure(')} measures, {len(found)} read")
    for name, unit, meaning, stats in found:
        name = left_out if name == "LEFT_OUT" else name.strip('"')
        stats = ", ".join(f"`{s}`" for s in re.findall(r'\("(\w+)"', stats))
        out += f"| `{name}` | {unit} | {meaning} | {stats} |\n"
    return out


def main():
    stale = []
    pages = [("metrics.md", metrics()), ("tables.md", tables()), ("measurements.md", measures())]
    for name, text in pages:
        path = HERE / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if "--check" not in sys.argv:
            path.write_text(text)
    if stale:
        print(("out of date: " if "--check" in sys.argv else "written: ") + ", ".join(stale))
    if "--check" in sys.argv and stale:
        sys.exit(1)


if __name__ == "__main__":
    main()
