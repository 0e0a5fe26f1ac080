# SPDX-License-Identifier: Apache-2.0
"""Little stories and country facts, put together at random: plain English for the text generator.

`python stories.py` prints a sample.
"""
import argparse
import random
from pathlib import Path

import build_text

GIRLS = "Anna Mary Lucy Emma Clara Rosa Nora Ella Alice Sarah Lily Maya".split()
BOYS = "Tom Peter John Max Henry Paul Sam Leo Oscar Jack Ben David".split()
KIN = ["her mother", "her father", "her brother", "her sister", "her grandmother", "her teacher", "her best friend"]
PLACES = ["the garden", "the forest", "the park", "the river", "the old house", "the village", "the beach", "the market",
          "the school", "the hill", "the lake", "the library", "the town", "the harbour", "the farm"]
PETS = ["dog", "cat", "bird", "horse", "rabbit", "fox", "mouse", "duck", "bear", "goat"]
TRAITS = ["little", "small", "big", "old", "young", "white", "black", "brown", "kind", "clever", "hungry", "lonely"]
THINGS = ["a red ball", "an old book", "a small key", "a golden ring", "a letter", "a map", "a wooden box", "a blue stone",
          "a silver coin", "a warm coat", "a lamp", "a kite", "a basket of apples", "a loaf of bread", "a toy boat"]
TIMES = ["One day", "One morning", "One evening", "In the summer", "In the winter", "On a rainy day", "Last year",
         "Early in the morning", "Late at night", "On Sunday", "After school"]
WEATHER = ["The sun was shining.", "It was raining.", "It was a cold day.", "The wind was strong.", "The sky was blue.",
           "Snow was falling.", "It was very hot.", "The moon was bright."]
FEELINGS = ["happy", "sad", "tired", "afraid", "proud", "surprised", "angry", "excited", "curious"]

OPEN = ["Once upon a time there was a {t} {girl} named {n}.", "{n} was a {t} {girl} who lived near {p}.",
        "There once was a {t} {girl} called {n}.", "{n} lived in a small house near {p} with {kin}.",
        "{time}, {n} went to {p}.", "{time}, {n} and {kin} walked to {p}.", "Once there was a {t} {pet} who lived in {p}."]
MIDDLE = ["{She} wanted to find {x}.", "{She} looked for {x}, but {she} could not find it.", "{She} found {x} near {p}.",
          "{weather}", "{She} met a {t} {pet}.", "The {pet} was {f} and wanted to play.", "{time}, {she} went to {p} with {kin}.",
          '"Where is my {pet}?" asked {n}.', '"Look at this!" said {n}. "I have found {x}."', "{She} gave {x} to {kin}.",
          "{Kin} told {her} a story about a {t} {pet}.", "{She} was very {f}.", "They played together until it was dark.",
          '"Can you help me?" said the {pet}.', '"Yes, I can help you," said {n}.', "{She} opened the door and saw a {t} {pet}.",
          "They walked through {p} and came to {p2}.", "{She} ran to {p} as fast as {she} could.",
          "{n} was {f} because {she} had lost {x}.", "There {she} saw {x} under a tree.", "{Kin} smiled and said that it was time to eat."]
CLOSE = ["Then {n} went home and told {kin} about it.", "From that day on, they were good friends.",
         "{n} was {f} and went to bed.", "They all lived happily ever after.", "In the end, {n} found {x} and was very happy.",
         '"Thank you," said {n}. "You are a good friend."', "{She} never forgot that day.", "And so {n} learned to be kind."]


def story(rng=random):
    girl = rng.random() < .5
    pronoun = (lambda s: s) if girl else (lambda s: s.replace("her ", "his "))
    name, kin = rng.choice(GIRLS if girl else BOYS), pronoun(rng.choice(KIN))
    pet, thing, place = rng.choice(PETS), rng.choice(THINGS), rng.choice(PLACES)
    lines = [rng.choice(OPEN), *rng.sample(MIDDLE, rng.randrange(3, 8)), rng.choice(CLOSE)]
    out = []
    for line in lines:
        p = place if rng.random() < .5 else rng.choice(PLACES)
        out.append(line.format(
            n=name, girl="girl" if girl else "boy", t=rng.choice(TRAITS), p=p, kin=kin, Kin=kin[0].upper() + kin[1:],
            p2=rng.choice([x for x in PLACES if x != p]), time=rng.choice(TIMES), pet=pet,
            x=thing if rng.random() < .8 else rng.choice(THINGS),
            she="she" if girl else "he", She="She" if girl else "He", her="her" if girl else "him",
            f=rng.choice(FEELINGS), weather=rng.choice(WEATHER)).replace("a old", "an old"))
    return " ".join(out)


def facts(rows, rng=random):
    """Several sentences about one country."""
    row, out = rng.choice(rows), []
    groups = [g for g, _, _ in build_text.GROUPS if g is not build_text.COUNTRY]
    for group in rng.sample(groups, rng.randrange(2, 6)):
        parts = build_text.fill(rng.choice(group), build_text.values(row, rng))
        if parts:
            text = "".join(t for t, _ in parts)
            out.append((text[0].upper() + text[1:]).rstrip(".?") + ("?" if text.endswith("?") else "."))
    return " ".join(out) or facts(rows, rng)


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    args = ap.parse_args()
    table = build_text.read_countries(args.data)
    for _ in range(5):
        print(story(), facts(table), sep="\n")
