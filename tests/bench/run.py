"""`make bench`: every figure beside its peer, in one run on this machine.

    python tests/bench/run.py --bin target/release/callboard [--quick] [--only NAME]... [--markdown FILE]

Progress goes to stderr, the table to stdout. A figure that cannot be measured says why and stops no
other. Everything happens on loopback and in a folder of its own that is removed.
"""
import argparse
import datetime
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

import machine
import table
from bench import PROJECT, QUICK, Bench, Sizes
from figures import (acknowledgement, adapters, boards, commits, day, decoders, delay, idle, ingest, intervals, memory, outside, report, report10m,
                     restart, simulated, simulated_m, size, speech, stream, wire)
from server import Server

FIGURES = {
    "ingest": ("events per CPU-second; resident memory", ingest),
    "simulated": ("events per CPU-second, events of the simulator", simulated),
    "simulated-m": ("the same with a million contacts", simulated_m),
    "acknowledgement": ("acknowledgement at a given rate and at half the rate reached", acknowledgement),
    "delay": ("from acknowledgement to SQL and to the board", delay),
    "outside": ("from the last event, over settling, to an outside Delta reader", outside),
    "commits": ("cost of a commit after many", commits),
    "size": ("bytes an event after compaction", size),
    "restart": ("start after kill -9", restart),
    "memory": ("memory with many open contacts, and its growth", memory),
    "idle": ("CPU of a server with nothing to do", idle),
    "boards": ("many watchers of a board", boards),
    "wire": ("rows per CPU-second over the PostgreSQL wire", wire),
    "report": ("queue report over 1 M contacts", report),
    "report-10m": ("queue report over 10 M contacts", report10m),
    "stream": ("fifty million events of scale L: memory, and the truth", stream),
    "day": ("a day of 1,000 seats replayed", day),
    "decoders": ("CPU of reading an event by several decoders", decoders),
    "intervals": ("interval tables made anew beside adding to them", intervals),
    "adapters": ("events per CPU-second of each adapter", adapters),
    "speech": ("audio seconds per CPU-second; seats per core", speech),
}
#: Figures that take so long that they must be asked for.
LONG = ("simulated-m", "report-10m", "stream")


def arguments():
    """What the command line says."""
    names = "\n".join(f"  {name:<16}{what}{'; only with --long or by name' if name in LONG else ''}" for name, (what, _) in FIGURES.items())
    parser = argparse.ArgumentParser(description=__doc__, epilog=f"figures:\n{names}",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="the program, a release build")
    parser.add_argument("--only", action="append", choices=FIGURES, metavar="NAME", help="this figure; may be repeated")
    parser.add_argument("--quick", action="store_true", help="small sizes: shows that it works, measures little")
    parser.add_argument("--long", action="store_true", help="also what takes an hour: " + ", ".join(LONG))
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="writes the dated run as Markdown too, and its pictures beside it")
    parser.add_argument("--work", type=pathlib.Path, metavar="DIR",
                        help="where to make the folder that it works in (default: beside the binary's profile)")
    parser.add_argument("--wer", type=pathlib.Path, metavar="FILE",
                        help="the example `wer` of transcribe (default: found in the target folder)")
    return parser.parse_args()


def found_wer(binary):
    """The built example that cuts pieces: any profile's will do, for only its pieces and texts are used."""
    places = [binary.parent.parent / profile / "examples" / "wer" for profile in (binary.parent.name, "release", "debug")]
    return next((p for p in places if p.is_file()), None)


def measured(bench, names, told):
    """Rows of all figures, told after each; one that fails leaves a row that says so."""
    rows = []
    for name in names:
        what, figure = FIGURES[name]
        print(f"{name}: {what}", file=sys.stderr, flush=True)
        begun, kept = time.monotonic(), len(bench.notes)
        try:
            reached = figure.measure(bench)
            rows += reached
            # A run that is broken off has told what it had.
            print(table.text(reached), file=sys.stderr, flush=True)
        except Exception as why:  # whatever it is: it is told, and the other figures go on
            traceback.print_exc(file=sys.stderr)
            del bench.notes[kept:]
            rows.append(table.failed(what, why))
        finally:
            for server in list(Server.running):
                server.kill()
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
        told(rows)
    return rows


def written(path, rows, facts, bench, heading):
    """The run as Markdown, its pictures beside it: after each figure, so that one that is broken off leaves what it had."""
    pictures = {name: path.with_name(f"{path.stem}-{name}.svg") for name in bench.plots}
    for name, picture in pictures.items():
        picture.write_text(bench.plots[name])
    path.write_text(table.markdown(rows, facts, bench.notes, pictures, heading))


def main():
    """One run; ends with 1 when a figure failed."""
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    binary = args.bin.resolve()
    if not binary.is_file():
        sys.exit(f"{args.bin} is not there: cargo build --release --workspace")
    place = args.work or binary.parent.parent
    place.mkdir(parents=True, exist_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=place)).resolve()
    try:
        facts = machine.facts(binary, PROJECT, work)
        if machine.busy() > 0.5:
            print(f"the machine is not idle (load {machine.busy():.1f}): wait, or do not believe the figures", file=sys.stderr)
        bench = Bench(binary, work, QUICK if args.quick else Sizes(), args.wer or found_wer(binary))
        begun = datetime.datetime.now(datetime.timezone.utc)

        def heading():
            minutes = (datetime.datetime.now(datetime.timezone.utc) - begun).total_seconds() / 60
            return f"{begun:%Y-%m-%d %H:%M} UTC, {minutes:.0f} minutes" + (", small sizes (--quick)" if args.quick else "")

        def told(rows):
            if args.markdown:
                written(args.markdown, rows, facts, bench, heading())

        rows = measured(bench, args.only or [name for name in FIGURES if args.long or name not in LONG], told)
    finally:
        for server in list(Server.running):
            server.kill()
        shutil.rmtree(work, ignore_errors=True)
    facts.append(("load after the run", f"{machine.busy():.2f} (its own work included)"))
    told(rows)
    print(f"\nCallboard's benchmark, {heading()}\n")
    print("\n".join(f"{name:<20} {value}" for name, value in facts) + "\n")
    print(table.text(rows) + "\n")
    print("\n".join(f"* {note}" for note in bench.notes))
    sys.exit(any(row.reached.startswith("failed") for row in rows))


if __name__ == "__main__":
    main()
