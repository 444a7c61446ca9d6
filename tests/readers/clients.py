"""clients.py PORT: what psycopg, SQLAlchemy and pandas see of the server on 127.0.0.1."""

import sys

import pandas
import psycopg
import sqlalchemy

from plain import rows, say

port = sys.argv[1]


def frame(f):
    return rows(list(f.columns), f.itertuples(index=False, name=None))


answer = {}

with psycopg.connect(host="127.0.0.1", port=port, user="anyone", dbname="callboard") as db:
    got = db.execute(
        "SELECT contact_id, queue, agent, started_at, ended_at, wait_ms, talk_ms, outcome, state"
        " FROM callboard.contacts WHERE queue = %s AND started_at > %s ORDER BY contact_id",
        ["sales", "2000-01-01T00:00:00Z"],
    )
    answer["psycopg"] = rows([c.name for c in got.description], got)
    try:
        db.execute("DELETE FROM callboard.contacts")
        answer["written"] = True
    except psycopg.Error as error:
        answer["written"] = False
        answer["refusal"] = str(error)

engine = sqlalchemy.create_engine(f"postgresql+psycopg://anyone@127.0.0.1:{port}/callboard")
look = sqlalchemy.inspect(engine)
answer["schemas"] = look.get_schema_names()
answer["views"] = sorted(look.get_view_names(schema="callboard"))
answer["columns"] = [
    {"column": c["name"], "type": str(c["type"]), "comment": c["comment"]}
    for c in look.get_columns("contacts", schema="callboard")
]
answer["comment"] = look.get_table_comment("contacts", schema="callboard")["text"]
with engine.connect() as db:
    answer["pandas_query"] = frame(
        pandas.read_sql(
            sqlalchemy.text(
                "SELECT queue, count(*) AS stays, sum(wait_ms) AS waits FROM callboard.queue_stays"
                " WHERE result = :result GROUP BY queue ORDER BY queue"
            ),
            db,
            params={"result": "answered"},
        )
    )
    answer["pandas_table"] = frame(
        pandas.read_sql_table("queue_intervals", db, schema="callboard")
    )
engine.dispose()
say(answer)
