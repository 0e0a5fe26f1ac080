# SPDX-License-Identifier: Apache-2.0
"""Questions made by rule from plain prose: a name, date, number or phrase becomes the answer, its clause the question.

They read badly, yet teach what a real question needs: find the clause that shares words, then the phrase that fits the
question word (Lewis et al. 2019 had the idea). `python cloze.py` prints a sample.
"""
import argparse
import random
import re
from pathlib import Path

import prose

MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
DATE = re.compile(rf"\b(?:\d{{1,2}} {MONTH}(?: \d{{4}})?|{MONTH} \d{{1,2}}(?:, \d{{4}})?|{MONTH} \d{{4}})\b")
YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
NUMBER = re.compile(r"(?:[$£€])?\b(?:\d[\d,.]*\d|\d|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty)\b(?: (?:million|billion|thousand|hundred))?")
NAME = re.compile(r"\b[A-Z][\w'.-]*[a-z](?: (?:of|the|and|de|von) (?=[A-Z])| (?=[A-Z]))?(?:[A-Z][\w'-]*[a-z](?: (?=[A-Z]))?)*")
PHRASE = re.compile(r"\b(?:the|a|an|his|her|its|their) ((?:[a-z-]+ ){0,2}[a-z-]{3,})(?= (?:of|in|and|to|was|were|is|are|for|by|with|that|which|from|as|on|at)\b|[.,;])")
UNIT = {"metres", "feet", "miles", "kilometres", "km", "kilometers", "inches"}
SENTENCE = re.compile(r"(?<=[a-z0-9)\"][.!?]) (?=[A-Z\"])")


def answers_of(sentence):
    """[(kind, start, end)] of what can be asked for."""
    out = [("date", m.start(), m.end()) for m in DATE.finditer(sentence)]
    taken = lambda a, b: any(a < e and s < b for _, s, e in out)
    for kind, pattern in (("year", YEAR), ("number", NUMBER), ("name", NAME)):
        for m in pattern.finditer(sentence):
            a, b = m.start(), m.start() + len(m[0].rstrip(" .,'"))
            if not taken(a, b) and (kind != "name" or a > 0 or " " in m[0].strip()) and b > a:
                out.append((kind, a, b))
    for m in PHRASE.finditer(sentence):
        if not taken(m.start(1), m.end(1)):
            out.append(("phrase", m.start() if random.random() < .4 else m.start(1), m.end(1)))
    return out


def question(sentence, kind, start, end, rng=random):
    """A question for that span, from the words around it."""
    left = re.split(r"[,;:()]", sentence[:start])[-1].split()[-11:]
    right = re.split(r"[,;:()]", sentence[end:])[0].split()[:11]
    if len(left) + len(right) < 4:  # a short clause: take more of the sentence
        left, right = sentence[:start].split()[-9:], sentence[end:].split()[:9]
    before = left[-1].lower() if left else ""
    place = before in ("in", "at", "near", "from", "to")
    if kind in ("year", "date"):
        wh = rng.choice(["when did", "when was", "in what year did", "in which year was", "what year did"])
        left = left[:-1] if before in ("in", "on", "since", "by", "of") else left
    elif kind == "number":
        unit = right[0].strip(".") if right else ""
        wh = rng.choice(["how many " + unit, "how many " + unit, "how much", "what number of"])
        wh = rng.choice(["how long", "how high", "how far", "how tall"]) if unit in UNIT and rng.random() < .6 else wh
        right = right[1:]
    elif kind == "name":
        wh = rng.choice(["where", "where did", "in which place", "which city", "in what country"] if place else
                        ["who", "who", "what", "which", "who did", "by whom was", "what is the name of"])
    else:
        wh = rng.choice(["what", "what", "what did", "which", "what is", "what kind of", "what was"])
    words = left + right if rng.random() < .6 else right + left
    words = [w for w in words if rng.random() > .15]
    if rng.random() < .25 and len(words) > 5:
        cut = rng.randrange(2, len(words) - 1)
        words = words[:cut] if rng.random() < .5 else words[cut:]
    text = (wh + " " + " ".join(words)).strip(" .,;:") + "?"
    return text[0].upper() + text[1:]


class Cloze:
    def __init__(self, paragraphs, rng=random):
        self.rng = rng
        self.texts = [[s for s in SENTENCE.split(p) if len(s) > 20] for p in paragraphs]
        self.texts = [t for t in self.texts if t]

    def example(self):
        """(context, question, answer, start)"""
        rng = self.rng
        while True:
            text = rng.choice(self.texts)
            at = rng.randrange(len(text))
            found = answers_of(text[at])
            if not found:
                continue
            weight = {"name": 3, "year": 2, "date": 2, "number": 2, "phrase": 1.6}
            kind, start, end = rng.choices(found, [weight[k] for k, _, _ in found])[0]
            answer = text[at][start:end]
            asked = question(text[at], kind, start, end, rng)
            if answer.lower() in asked.lower() or len(asked.split()) < 4:
                continue
            first = max(0, at - rng.randrange(0, 4))
            chosen = text[first:at + 1 + rng.randrange(0, 4)]
            start += sum(len(s) + 1 for s in text[first:at])
            return " ".join(chosen), asked, answer, start


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    maker = Cloze(prose.wikitext(ap.parse_args().data, "valid"))
    for _ in range(15):
        context, asked, answer, start = maker.example()
        assert context[start:start + len(answer)] == answer
        print(asked, f"[{answer}]")
