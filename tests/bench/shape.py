"""The columns of NDJSON files, found by reading all of them: told to the peers, so that none has to
guess from the first lines or fails at a field that comes late."""
import json
import sys

#: A text of fewer different values is a LowCardinality of ClickHouse.
FEW = 10_000


class Field:
    """What a field holds: kinds of values, different texts up to a limit, fields of an object."""

    def __init__(self):
        self.kinds, self.texts, self.fields = set(), set(), {}

    def see(self, value):
        """Takes one value in."""
        if isinstance(value, dict):
            for name, inner in value.items():
                self.fields.setdefault(name, Field()).see(inner)
        elif isinstance(value, list):
            self.kinds.add("numbers" if all(isinstance(v, int | float | None) for v in value) else "texts")
        elif value is not None:
            self.kinds.add(type(value).__name__)
            if isinstance(value, str) and len(self.texts) < FEW:
                self.texts.add(value)

    def plain(self):
        """As JSON: a dictionary for an object, else one word."""
        if self.fields:
            return {name: field.plain() for name, field in self.fields.items()}
        if self.kinds == {"str"}:
            return "few" if len(self.texts) < FEW else "text"
        if self.kinds <= {"int", "float"} and self.kinds:
            return "float" if "float" in self.kinds else "int"
        return {("bool",): "bool", ("numbers",): "numbers", ("texts",): "texts"}.get(tuple(self.kinds), "text")


def found(paths):
    """The shape of all lines of some files."""
    whole = Field()
    for path in paths:
        with open(path, "rb") as file:
            for line in file:
                whole.see(json.loads(line))
    return whole.plain()


DUCK = {"few": "VARCHAR", "text": "VARCHAR", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN",
        "numbers": "DOUBLE[]", "texts": "VARCHAR[]"}
CLICK = {"few": "LowCardinality(Nullable(String))", "text": "Nullable(String)", "int": "Nullable(Int64)",
         "float": "Nullable(Float64)", "bool": "Nullable(Bool)", "numbers": "Array(Nullable(Float64))",
         "texts": "Array(String)"}


def duck(shape):
    """A type of DuckDB."""
    if isinstance(shape, str):
        return DUCK[shape]
    return "STRUCT(" + ", ".join(f'"{name}" {duck(inner)}' for name, inner in shape.items()) + ")"


def click(shape):
    """A type of ClickHouse."""
    if isinstance(shape, str):
        return CLICK[shape]
    return "Tuple(" + ", ".join(f"`{name}` {click(inner)}" for name, inner in shape.items()) + ")"


if __name__ == "__main__":
    print(json.dumps(found(sys.argv[1:])))
