"""Audio seconds transcribed per CPU-second, beside whisper.cpp itself on the same pieces."""
import json
import os
import re
import subprocess
import sys

from server import Failed
from table import Row, number

#: Seats that one audio second per CPU-second serves, as the aims of the project reckon them.
SEATS = 4.8
MODEL = "ggml-tiny.en-q8_0.bin"


def recordings(bench):
    """Files of the shift's recordings, legs of one conversation beside each other."""
    folder = bench.project / "datasets" / "shift-asterisk"
    files, names = [], []
    for line in (folder / "recordings.jsonl").read_text().splitlines()[:bench.sizes.recordings]:
        recording = json.loads(line)
        names.append(recording["rec"])
        files += [folder / f["path"] for f in recording["files"] if f["leg"] != "both mixed"]
    return folder, names, files


def documents(text):
    """JSON documents that follow each other."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        yield document
        while at < len(text) and text[at].isspace():
            at += 1


def transcribe(bench, files):
    """The command on all files: its documents and the CPU seconds of its process."""
    with open(bench.folder("transcripts.json"), "w+b") as out:
        child = subprocess.Popen([bench.binary, "transcribe", "--format", "json", *files], stdout=out,
                                 stderr=subprocess.DEVNULL, cwd=bench.project)
        try:
            _, status, usage = os.wait4(child.pid, 0)
        except BaseException:
            child.kill()
            raise
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise Failed(f"callboard transcribe ended with {child.returncode}")
        out.seek(0)
        return list(documents(out.read().decode())), usage.ru_utime + usage.ru_stime


def chosen(bench, folder, names):
    """The set's description cut down to the recordings that are measured, for the word error rate."""
    made = bench.folder("set")
    made.mkdir()
    for file in ("recordings.jsonl", "texts.jsonl"):
        lines = (folder / file).read_text().splitlines(keepends=True)
        (made / file).write_text("".join(line for line in lines if json.loads(line)["rec"] in names))
    (made / "recordings").symlink_to(folder / "recordings")
    return made


def found(pattern, text, what):
    """What a pattern finds in a command's words."""
    match = re.search(pattern, text)
    if not match:
        raise Failed(f"{what} says: {text.strip()[-200:] or 'nothing'}")
    return match


def heard(*command, cwd):
    """What a command prints."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=1500)
    if done.returncode != 0:
        raise Failed(f"{os.path.basename(command[0])}: " + (done.stderr.strip().splitlines() or ["?"])[-1])
    return done.stdout


def measure(bench):
    """Our command first; then the pieces it cuts, recognised by whisper.cpp from outside."""
    folder, names, files = recordings(bench)
    models = bench.project / "datasets" / "models"
    bench.say(f"callboard transcribe on {len(names)} recordings")
    done, cpu = transcribe(bench, files)
    if len(done) != len(names) or any(d["failed"] for d in done):
        raise Failed(f"{len(done)} of {len(names)} recordings came out, or a file of one could not be read")
    audio = sum(d["timings"]["audio_ms"] for d in done) / 1000
    ours = audio / cpu
    bench.note(f"Speech: {len(names)} recordings, {number(audio)} s of legs, {sum(d['timings']['speech_ms'] for d in done) / 1000:.0f} s "
               f"of speech in them; the whole command used {cpu:.1f} CPU s, the recogniser's threads "
               f"{sum(d['timings']['cpu_ms'] for d in done) / 1000:.1f} of them. {done[0]['engine']['engine']}, "
               f"{done[0]['engine']['decoding']}, {done[0]['engine']['model']}, one thread.")
    row = Row("audio seconds transcribed per CPU-second", f"{ours:.1f}")
    seats = Row(f"seats per core ({SEATS} times that)", f"{SEATS * ours:.0f}", "nobody publishes it")
    try:
        beside(bench, row, seats, folder, names, models, audio, ours)
    except (Failed, OSError, subprocess.SubprocessError) as why:
        # Our own figure was measured; only what stands beside it was not.
        row.peer = "failed: " + " ".join(str(why).split())[:200]
    return [row, seats]


def beside(bench, row, seats, folder, names, models, audio, ours):
    """whisper.cpp by pywhispercpp on the same pieces, and both word error rates."""
    if bench.wer is None:
        raise Failed("the example `wer`, which writes the pieces, is not built: cargo build --workspace --all-targets")
    cut, pieces = chosen(bench, folder, set(names)), bench.folder("pieces")
    bench.say("the pieces that our pipeline cuts, and our word error rate")
    told = heard(str(bench.wer), str(cut), str(models), "--pieces", str(pieces), cwd=bench.project)
    rate = found(r"WER ([\d.]+) % \(words\).* of (\d+) words", told, "wer")
    bench.say("whisper.cpp by pywhispercpp on the same pieces")
    script = bench.project / "transcribe" / "peer" / "whispercpp_wer.py"
    peer = heard(sys.executable, str(script), str(pieces), str(models / MODEL), str(cut), "--scorer", str(bench.wer), cwd=bench.project)
    version = found(r"pywhispercpp \S+, whisper\.cpp [\d.]+", peer, script.name)[0]
    used = found(r"(\d+) s of pieces, ([\d.]+) CPU s", peer, script.name)
    theirs = audio / float(used[2])
    their_rate = found(r"WER ([\d.]+) % \(words\)", peer, script.name)[1]
    row.peer, row.ratio = f"whisper.cpp {theirs:.1f}", f"{ours / theirs:.2f}"
    seats.ratio = row.ratio
    bench.note(f"{version}, same model, same search, one thread: {used[2]} CPU s for the {used[1]} s of pieces, divided into "
               f"the same {number(audio)} s of legs. Decoding, voice detection and the loading of the model are in our figure and not in its.")
    bench.note(f"Word error rate beside it: {rate[1]} % over {rate[2]} words, whisper.cpp {their_rate} %, "
               f"one normaliser for both, before masking.")
