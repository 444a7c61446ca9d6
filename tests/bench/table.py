"""What was measured: rows, as a table for the terminal and for Markdown."""
import dataclasses

TITLES = ["figure", "reached", "peer", "ratio", "aim", "aim reached"]


@dataclasses.dataclass
class Row:
    """One figure. `met` is None where there is no aim."""

    figure: str
    reached: str
    peer: str = ""
    ratio: str = ""
    aim: str = ""
    met: bool | None = None

    def cells(self):
        """The row's texts, in the order of the titles."""
        word = {None: "", True: "reached", False: "missed"}[self.met]
        return [self.figure, self.reached, self.peer, self.ratio, self.aim, word]


def failed(figure, why):
    """A row for what could not be measured."""
    return Row(figure, "failed: " + " ".join(str(why).split())[:120])


def number(x, digits=0):
    """With thousands apart."""
    return f"{x:,.{digits}f}"


def ms(seconds):
    """Seconds as milliseconds, three digits that count."""
    value = seconds * 1000
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f} ms"


def percentile(values, share):
    """The smallest value that at least this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 100) - 1))]


def pair(values):
    """p50 and p99 of seconds, as text."""
    return f"{ms(percentile(values, 50))} / {ms(percentile(values, 99))}"


def text(rows):
    """For the terminal."""
    cells = [TITLES] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(TITLES))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(line, widths)).rstrip() for line in cells]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])


def markdown(rows, facts, notes, pictures, heading):
    """A dated run."""
    out = [f"### {heading}", "", "| | |", "| --- | --- |"]
    out += [f"| {name} | {value} |" for name, value in facts]
    out += ["", "| " + " | ".join(TITLES) + " |", "|" + " --- |" * len(TITLES)]
    out += ["| " + " | ".join(c.replace("|", "\\|") for c in row.cells()) + " |" for row in rows]
    if notes:
        out += [""] + [f"- {note}" for note in notes]
    for name, path in pictures.items():
        out += ["", f"![{name}]({path.name})"]
    return "\n".join(out) + "\n"
