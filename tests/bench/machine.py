"""What the figures were measured on, and with which versions."""
import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess


def said(*command, cwd=None):
    """First line of what a command prints; 'unknown' when it cannot be run."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=True)
        return done.stdout.strip().splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return "unknown"


def from_file(path, pattern):
    """What a pattern finds in one of the kernel's files."""
    found = re.search(pattern, pathlib.Path(path).read_text())
    return found[1].strip() if found else "unknown"


def disk(folder):
    """Device and file system that hold a folder."""
    best = ("", "unknown", "unknown")
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        device, point, kind = line.split()[:3]
        inside = folder == pathlib.Path(point) or pathlib.Path(point) in folder.parents
        if inside and len(point) >= len(best[0]):
            best = (point, device, kind)
    return best[2], best[1]


def version(package):
    """Version of an installed Python package."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def busy():
    """Load of the last minute."""
    return os.getloadavg()[0]


def facts(binary, project, folder):
    """Names and values for the head of a run."""
    kind, device = disk(folder.resolve())
    model = from_file("/proc/cpuinfo", r"model name\s*: (.*)")
    memory = int(from_file("/proc/meminfo", r"MemTotal:\s+(\d+)")) / 1024 / 1024
    commit = said("git", "rev-parse", "--short", "HEAD", cwd=project)
    changed = subprocess.run(["git", "status", "--porcelain", "--untracked-files=no"], cwd=project,
                             capture_output=True, text=True).stdout.strip()
    return [
        ("processor", f"{model}, {len(os.sched_getaffinity(0))} cores"),
        ("memory", f"{memory:.0f} GiB"),
        ("disk", f"{kind} on {device}"),
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("load before the run", f"{busy():.2f}"),
        ("Callboard", f"{said(binary, '--version')}, commit {commit}{' with changes' if changed else ''}, "
                      f"{binary.parent.name} build"),
        ("rustc", said("rustc", "--version", cwd=project)),
        ("peers", f"DuckDB {version('duckdb')}, chdb {version('chdb')}, deltalake {version('deltalake')}, "
                  f"pywhispercpp {version('pywhispercpp')}, "
                  f"Python {platform.python_version()}"),
    ]
