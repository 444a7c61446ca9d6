"""Writes vader.jsonl: texts and the scores that the Python package gives them.

    python3 -m venv v && v/bin/pip install vaderSentiment==3.3.2
    v/bin/python vader_vectors.py ../../datasets/shift-asterisk/texts.jsonl > vader.jsonl

The Rust port must give the same four numbers for every line.
"""
import json
import random
import sys

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

TRICKY = [
    "", " ", "!", "???", "...", ":)", ":D", "ok!", "no", "NO", "No problem.", "no good", "no no no good",
    "The refund is not good", "At least it isn't a horrible line.", "at least it works", "the least good of all",
    "least good", "very least bad thing", "I was not very happy with the very slow service!!!",
    "VERY bad BAD service", "never so happy", "never this good", "this good this bad", "so so good",
    "without doubt great", "without any doubt great", "without a doubt it is great", "Is that all?",
    "I want to cancel my account.", "VADER is smart, handsome, and funny!!!!!!", "GREAT", "GREAT service",
    "the plot was good, but the dialog is not great and the rest is good", "but good", "good but",
    "good bad but good bad but good", "not good but not bad but good", "kind of good", "it is kind of good here",
    "sort of a good thing", "just enough good things", "the service was the bomb today", "a kiss of death for us",
    "that is to die for honestly good", "yeah right that was good", "he said yeah right good", "bad ass car good",
    "a beating heart is good", "this bus stop is good here", "so bad ass", "catch utf-8 \U0001F600 and \U0001F622 good",
    "\U0001F600\U0001F600", "good\U0001F622bad", "a\u00a0good\u2003day", "caf\u00e9 GOOD caf\u00c9", "\u00c9 good B2B",
    "n't good", "isn't it good?", "isn't it good??", "isn't it good???", "isn't it good????",
    "neither good nor bad", "no good or great thing", "no cheap nor great thing", "it is a NO great",
    "absolutely hate it", "ABSOLUTELY hate it", "hardly good", "HARDLY good at all", "kinda good sorta bad",
    "rarely seldom good", "despite the good news", "uh-uh good", "Don't worry, I won't be unhappy",
    "I can't complain about the great agent who wasn't rude at all!", "'good'", "\"bad\"", "(great)", "good-bye",
    "a b c good d e f", "x no y good", "least", "very least great", "nothing nowhere none good", "e-mail is fine",
    "good\tbad\ngreat", "\x1cgood\x1dday", "I like it, I love it; I really REALLY love it!?!?",
]


def main():
    random.seed(20)
    analyzer = SentimentIntensityAnalyzer()
    texts = list(TRICKY)
    with open(sys.argv[1], encoding="utf-8") as lines:
        texts += [json.loads(line)["text"] for line in lines]
    lexicon = sorted(w for w in analyzer.lexicon if w.isalpha())
    glue = ("not never no so this very least at but without doubt kind of sort just enough or nor the shit bomb bad "
            "ass yeah right kiss death to die for beating heart bus stop GOOD Good good Bad BAD isn't hardly ABSOLUTELY "
            "extremely a it was is ! ? !! ok I").split()
    for _ in range(500):
        words = [random.choice(glue if random.random() < 0.75 else lexicon) for _ in range(random.randint(1, 14))]
        words = [w.upper() if random.random() < 0.07 else w for w in words]
        texts.append(" ".join(words) + random.choice(["", "", ".", "!", "??", "!!!"]))
    seen = set()
    for text in texts:
        if text not in seen:
            seen.add(text)
            s = analyzer.polarity_scores(text)
            print(json.dumps([text, s["neg"], s["neu"], s["pos"], s["compound"]]))


main()
