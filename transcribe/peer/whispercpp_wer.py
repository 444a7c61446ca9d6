"""whisper.cpp itself on the pieces our pipeline cuts, for comparison.

    python3 -m venv v && v/bin/pip install pywhispercpp
    cargo run -p callboard-transcribe --example wer -- SET MODELS --pieces PIECES
    v/bin/python transcribe/peer/whispercpp_wer.py PIECES MODELS/ggml-tiny.en-q8_0.bin SET

Drives whisper.cpp through the Python package pywhispercpp (its own build of the library) with one
thread and the same search settings, writes its texts beside the pieces, has them scored by the same
normaliser, and prints versions, word error rate and CPU seconds.
"""
import argparse
import glob
import importlib.metadata
import json
import math
import os
import pathlib
import subprocess
import sys
import time
import wave


def library_version():
    """Version of the whisper.cpp library inside the package, from its file's name."""
    folder = pathlib.Path(importlib.metadata.distribution("pywhispercpp").locate_file(""))
    names = glob.glob(str(folder / "pywhispercpp.libs" / "libwhisper*.so.*")) + glob.glob(str(folder / "libwhisper.so.*.*"))
    return os.path.basename(names[0]).split(".so.")[-1] if names else "unknown"


def audio_ctx(samples):
    """The encoder room our pipeline gives a piece of this length."""
    positions = math.ceil(samples / 320) + 64
    positions = min(max(positions, 384), 1500)
    return min((positions + 63) // 64 * 64, 1500)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("pieces", type=pathlib.Path)
    args.add_argument("model")
    args.add_argument("set")
    args.add_argument("--greedy", action="store_true")
    args.add_argument("--beam", type=int, default=3)
    args.add_argument("--full-window", action="store_true", help="the whole 30 s window for every piece")
    args.add_argument("--flash-attention", action="store_true", help="the package's own default; our binding leaves it off")
    args.add_argument("--scorer", help="the example `wer`, built; cargo runs it when not given")
    args = args.parse_args()

    import numpy as np
    from pywhispercpp.model import ContextParams, Model

    options = dict(n_threads=1, language="en", no_context=True, suppress_blank=True, suppress_nst=True,
                   print_progress=False, print_realtime=False, print_timestamps=False, token_timestamps=True)
    if args.greedy:
        options["greedy"] = {"best_of": 1}
    else:
        options["beam_search"] = {"beam_size": args.beam, "patience": -1.0}
    context = ContextParams(flash_attn=args.flash_attention)
    model = Model(args.model, context_params=context, params_sampling_strategy=0 if args.greedy else 1,
                  redirect_whispercpp_logs_to=None, **options)

    out = args.pieces / "whispercpp.jsonl"
    seconds = 0.0
    cpu, wall = time.process_time(), time.time()
    with open(args.pieces / "pieces.jsonl", encoding="utf-8") as lines, open(out, "w", encoding="utf-8") as texts:
        for line in lines:
            piece = json.loads(line)
            with wave.open(str(args.pieces / piece["file"])) as wav:
                samples = np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2").astype(np.float32) / 32768.0
            seconds += len(samples) / 16000
            if len(samples) < 16000:
                samples = np.concatenate([samples, np.zeros(16000 - len(samples), dtype=np.float32)])
            ctx = 0 if args.full_window else audio_ctx(piece["ms"] * 16)
            segments = model.transcribe(samples, audio_ctx=ctx)
            piece["texts"] = [s.text for s in segments]
            texts.write(json.dumps(piece) + "\n")
    cpu, wall = time.process_time() - cpu, time.time() - wall
    print(f"pywhispercpp {importlib.metadata.version('pywhispercpp')}, whisper.cpp {library_version()}, "
          f"{'greedy' if args.greedy else f'beam of {args.beam}'}, 1 thread")
    print(f"{seconds:.0f} s of pieces, {cpu:.1f} CPU s, {seconds / cpu:.1f} piece seconds per CPU second, {wall:.0f} s wall")
    sys.stdout.flush()
    scorer = [args.scorer] if args.scorer else ["cargo", "run", "-q", "-p", "callboard-transcribe", "--example", "wer", "--"]
    subprocess.run([*scorer, "score", args.set, str(out)], check=True)


main()
