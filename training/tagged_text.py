# SPDX-License-Identifier: Apache-2.0
"""Sentences with named entities: WNUT-17's, and made ones from templates, as (words, labels).

`python tagged_text.py` prints a sample.
"""
import argparse
import random
import re
from pathlib import Path

import build_text
import names

TYPES = ["corporation", "creative-work", "group", "location", "person", "product"]
LABELS = ["O"] + [f"{p}-{t}" for t in TYPES for p in "BI"]

# P person, L location, C corporation, D product, G group, W creative work
TEMPLATES = """
{P} was born in {L}.|{P} lives in {L} and works for {C}.|I met {P} in {L} last week.|{P} and {P} are coming to {L} tomorrow
My friend {P} just moved to {L}!|{C} opens a new office in {L}.|{C} has hired {P} as its new director.|{P}, the head of {C}, resigned on Monday.
just got my new {D} from {C} and I love it|The new {D} by {C} costs $499.|I want a {D} for Christmas!!!|Is the {D} better than the {D}?
Who wants to watch {W} tonight?|watching {W} with {P}|{W} is the best movie ever|I am reading {W} by {P}.|{P} stars in {W}, which was filmed in {L}.
{G} won against {G} in {L}.|{G} are playing in {L} tonight!|Can't wait to see {G} live in {L}|{P} plays for {G}.|{P} scored twice as {G} beat {G} 3-1.
The president of {L}, {P}, visited {L} on Tuesday.|{L} and {L} signed an agreement in {L}.|Flying from {L} to {L} tomorrow morning|Good morning {L}!
Greetings from {L}, {L}.|The capital of {L} is {L}.|{L} is a city in {L}.|It is raining in {L} again.|Traffic is terrible in {L} today
The weather in {L} is nice, says {P}.|{P}: thank you for everything|Happy birthday {P}!|happy birthday to my best friend {P}|so excited to see {P} on friday
Shares of {C} fell after the news from {L}.|{C} bought {C} for two billion dollars.|{C} will sell its {D} in {L} from May.|Working at {C} is hard
{P} wrote {W} in 1998.|{W} was directed by {P}.|New song by {G} is out now|the new album of {G} is called {W}|{G} are my favourite band.
Members of {G} met in {L} on Friday.|The {D} was designed by {P} at {C}.|Does anybody know how to fix my {D}?|my {D} is broken again :(
{P} told {C} that she would not leave {L}.|Mr. {P} said that the road to {L} was closed.|Dr. {P} works at a hospital in {L}.|Thanks {P} for the follow!
RT @user: {P} at the {L} airport right now|@user have you seen {W} yet?|lol {P} is so funny|I think {P} should win, not {P}.|Where is {P}?
{L}, {L} and {L} share a border.|She studied in {L} before she moved to {L}.|In {L}, {P} met {P} and {P}.|He drove his {D} from {L} to {L}.
According to {C}, the {D} sold well in {L}.|Breaking: {C} to close its factory in {L}|{C} and {C} are fighting over the {D}.|Best pizza in {L}!
Tickets for {G} in {L} go on sale on Friday|Going to the {G} game with {P}|{G} is the best team in {L}|I miss {L} so much|I love {L} in the summer
{P} won the election in {L}.|The police in {L} arrested {P}.|Prime Minister {P} arrived in {L} on Monday to talk with {P}.|Chancellor {P} spoke in {L}.
I bought a {D} at {C}.|My flight with {C} to {L} was late.|The lawyer {P} from {L} sued {C}.|{P} paid with her {D}|{P} played {W} on the piano.
""".strip().replace("\n", "|").split("|")
PLAIN = """I do not know what to do today.|The weather is nice and I am happy.|lol that was so funny|Good morning everyone!|It is too early
What time is it?|I am so tired and I want to sleep|Nothing to see here.|Please call me back when you can|We had a great time last night :)
Thank you so much!|This is the best day ever|Why is everything so expensive?|The meeting starts at 10 on Monday.|Not sure if that is a good idea.
Can you help me with this?|The new car is red and fast.|My mother made soup and bread for dinner.|The Old Man and his dog walked home.
He said that he would come tomorrow.|TGIF! Have a great weekend|SO EXCITED FOR TONIGHT|Great job, Team!|The Doctor will see you now.|Happy New Year!
On Friday I have a test and I hate it|Just woke up, what did I miss|He was the first to arrive and the last to leave.|#love #happy #friday""".replace("\n", "|").split("|")
OPENERS = ["RT @user:", "OMG", "Wow,", "@user", "lol", "Breaking:", "News:", "So", "Yes!", "Today", "Yesterday,", "Hey", "Well,", "FYI", "I think"]
CLOSERS = ["http://bit.ly/a1b2c3", "#fail", "lol", "!!!", ":)", "...", "#news", "please RT", "today", "haha", "on Saturday", "xoxo", "via @user"]
WORD = re.compile(r"https?://\S+|[@#]\w+|[:;]-?[()DP]|\w+(?:'\w+)?|\.\.\.|[^\w\s]")


def read_wnut(data, part):
    out, words, labels = [], [], []
    for line in [*open(data / "text" / f"wnut17-{part}.conll", encoding="utf8"), ""]:
        fields = line.rstrip("\n").split("\t")
        if len(fields) == 2 and fields[0].strip():
            words.append(fields[0])
            labels.append(fields[1])
        elif words:
            out.append((words, labels))
            words, labels = [], []
    return out


def entities(words, labels):
    """{(type, first, behind the last)}; an I without a B before it begins one, as the usual scorer has it."""
    out, begin, kind = set(), None, None
    for i, label in enumerate([*labels, "O"]):
        if kind and not (label[0] == "I" and label[2:] == kind):
            out.add((kind, begin, i))
            kind = None
        if label != "O" and kind is None:
            begin, kind = i, label[2:]
    return out


class Maker:
    """Made sentences, and real ones with other entities of the same type in them."""

    def __init__(self, data, real, rng=random):
        self.rng, self.real = rng, real
        rows = build_text.read_countries(data)
        self.places = [r["country"] for r in rows] + [r["capital"] for r in rows if r["capital"]]
        self.seen = {t: [] for t in TYPES}
        for words, labels in real:
            for kind, a, b in entities(words, labels):
                self.seen[kind].append(" ".join(words[a:b]))

    def name(self, kind):
        rng = self.rng
        if rng.random() < .3:
            return rng.choice(self.seen[kind])
        if kind == "person":
            return names.person(rng) if rng.random() < .65 else rng.choice([names.given(rng), names.surname(rng)])
        if kind == "location":
            return rng.choice(self.places) if rng.random() < .55 else names.city(rng)
        if kind == "corporation":
            return names.company(rng)
        if kind == "product":
            made = names.invented(rng) + rng.choice([" X", " 3", " Pro", " 2000", " Mini", "", ""])
            return rng.choice(names.PRODUCTS) if rng.random() < .6 else made
        if kind == "group":
            return rng.choice(names.BANDS) if rng.random() < .5 else rng.choice(
                [f"The {names.invented(rng)}s", f"{names.city(rng)} United", f"{names.city(rng)} Tigers", f"The {rng.choice(names.ADJECTIVES)} {rng.choice(names.NOUNS)}s", f"FC {names.city(rng)}"])
        return rng.choice(names.WORKS) if rng.random() < .4 else names.title(rng)

    def made(self):
        rng, words, labels = self.rng, [], []
        kinds = dict(zip("CWGLPD", TYPES))
        for piece in re.split(r"(\{\w\})", rng.choice(TEMPLATES) if rng.random() < .85 else rng.choice(PLAIN)):
            if piece.startswith("{"):
                kind = kinds[piece[1]]
                found = WORD.findall(self.name(kind))
                words += found
                labels += [f"B-{kind}"] + [f"I-{kind}"] * (len(found) - 1)
            else:
                found = WORD.findall(piece)
                words += found
                labels += ["O"] * len(found)
        for extra, front in ((OPENERS, True), (CLOSERS, False)):
            if rng.random() < .2:
                found = WORD.findall(rng.choice(extra))
                words, labels = (found + words, ["O"] * len(found) + labels) if front else (words + found, labels + ["O"] * len(found))
        return words, labels

    def changed(self):
        """A real sentence; most of its entities become others of their type."""
        words, labels = self.rng.choice(self.real)
        if self.rng.random() < .5:
            return words, labels
        new_words, new_labels, at = [], [], 0
        for kind, a, b in sorted(entities(words, labels), key=lambda e: e[1]):
            new_words += words[at:a]
            new_labels += labels[at:a]
            put = self.name(kind).split() if self.rng.random() < .7 else words[a:b]
            new_words += put
            new_labels += [f"B-{kind}"] + [f"I-{kind}"] * (len(put) - 1)
            at = b
        return new_words + words[at:], new_labels + labels[at:]


def plain_text(words, tight, rng=random):
    """The text of the words and where each begins; `tight`: punctuation without a space before it, as people write."""
    text, starts = "", []
    for i, w in enumerate(words):
        glue = tight and i > 0 and (re.fullmatch(r"[.,;:!?)]+|'\w+|n't|\.\.\.", w) or words[i - 1] in ("(", "$"))
        text += "" if i == 0 or glue else " "
        starts.append(len(text))
        text += w
    return text, starts


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = ap.parse_args().data
    maker = Maker(data, read_wnut(data, "train"))
    for _ in range(12):
        print(" ".join(w if l == "O" else f"[{w}|{l}]" for w, l in zip(*random.choice([maker.made, maker.changed])())))
