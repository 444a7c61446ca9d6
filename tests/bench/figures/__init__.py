"""The figures, each a module with `measure(bench)` that gives rows."""
