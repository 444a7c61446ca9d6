"""A Callboard in a process of its own, on ports that it chose: started, asked, measured, ended."""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")
#: How long anything may take before a figure counts as failed.
PATIENCE = 300
#: Seconds after which a connection is not used again: the server closes those on which nothing moves.
STILL = 5


class Failed(Exception):
    """Why a figure could not be measured."""


def stat(pid):
    """User and system seconds of a process, all its threads together."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


class Server:
    """`callboard serve` on a data folder; a context that kills it when something goes wrong."""

    running = []

    def __init__(self, binary, data, config="", wait=True):
        data.parent.mkdir(parents=True, exist_ok=True)
        self.data = data
        settings = data.with_suffix(".toml")
        settings.write_text("[transcribe]\nenabled = false\n" + config)
        self.log = data.with_suffix(".log")
        self.begun = time.monotonic()
        with open(self.log, "wb") as log:
            self.child = subprocess.Popen(
                [binary, "serve", "--data", data, "--config", settings, "--http", "127.0.0.1:0", "--pg", "127.0.0.1:0"],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                env={**os.environ, "RUST_LOG": "warn,callboard_store::store::recover=info"})
        Server.running.append(self)
        self.port = self._port()
        self._local = threading.local()
        if wait:
            self.ready()

    def _port(self):
        """The port it says it serves; polled closely, since a start is measured."""
        while time.monotonic() - self.begun < PATIENCE:
            found = re.search(r"http://127\.0\.0\.1:(\d+)", self.log.read_text(errors="replace"))
            if found:
                return int(found[1])
            if self.child.poll() is not None:
                raise Failed(f"the server ended: {self.log.read_text(errors='replace')[-500:]}")
            time.sleep(0.002)
        raise Failed("the server does not say where it serves")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def ask(self, method, path, body=None, headers=None):
        """One request on this thread's own connection: status and bytes."""
        link, used = getattr(self._local, "link", (None, 0))
        if link is None or time.monotonic() - used > STILL:
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            link.request(method, path, body, headers or {})
            answer = link.getresponse()
            found = answer.status, answer.read()
            self._local.link = link, time.monotonic()
            return found
        except (OSError, http.client.HTTPException):
            self._local.link = None, 0
            raise

    def ready(self):
        """Waits for /readyz; gives the seconds since the process was started."""
        while time.monotonic() - self.begun < PATIENCE:
            try:
                if self.ask("GET", "/readyz")[0] == 200:
                    return time.monotonic() - self.begun
            except (OSError, http.client.HTTPException):
                if self.child.poll() is not None:
                    raise Failed(f"the server ended: {self.log.read_text(errors='replace')[-500:]}") from None
            time.sleep(0.002)
        raise Failed("/readyz never said yes")

    def recovered(self):
        """What the start says of what it found: open keys, the log's end, what was flushed."""
        for line in self.log.read_text(errors="replace").splitlines():
            if '"recovered"' in line:
                return json.loads(line)["fields"]
        raise Failed("the server does not say what it recovered")

    def sql(self, text, kind="application/json"):
        """Rows of a query, or its bytes in another form than JSON."""
        status, body = self.ask("POST", "/v1/sql", json.dumps({"sql": text}),
                                {"content-type": "application/json", "accept": kind})
        if status != 200:
            raise Failed(f"{text[:80]}: {status} {body[:300].decode(errors='replace')}")
        return json.loads(body)["rows"] if kind == "application/json" else body

    def number(self, text):
        """The only number of a query."""
        return int(next(iter(self.sql(text)[0].values())) or 0)

    def until(self, text, wanted, pause=0.1):
        """Waits until a query's only number is at least what is wanted; gives the moment."""
        end = time.monotonic() + PATIENCE
        while (got := self.number(text)) < wanted:
            if time.monotonic() > end:
                raise Failed(f"{text}: {got} of {wanted} after {PATIENCE} s")
            time.sleep(pause)
        if got > wanted:
            raise Failed(f"{text}: {got}, and only {wanted} were sent")
        return time.monotonic()

    def cpu(self):
        """User and system seconds so far."""
        return stat(self.child.pid)

    def memory(self):
        """Resident MiB now and at most so far, and what of now is anonymous (no file's pages)."""
        text = pathlib.Path(f"/proc/{self.child.pid}/status").read_text()
        return tuple(int(re.search(rf"{name}:\s+(\d+)", text)[1]) / 1024 for name in ("VmRSS", "VmHWM", "RssAnon"))

    def stop(self):
        """A clean stop, which writes everything into the lake; gives its seconds and its CPU seconds."""
        begun, cpu = time.monotonic(), self.cpu()
        self.child.send_signal(signal.SIGTERM)
        # A process that has ended and was not waited for still tells what it used.
        while os.waitid(os.P_PID, self.child.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
            if time.monotonic() - begun > PATIENCE:
                raise Failed("the server does not stop")
            time.sleep(0.01)
        cpu = self.cpu() - cpu
        code = self.child.wait()
        if code != 0:
            raise Failed(f"the server ended with {code}: {self.log.read_text(errors='replace')[-500:]}")
        return time.monotonic() - begun, cpu

    def kill(self):
        """SIGKILL."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        if self in Server.running:
            Server.running.remove(self)
