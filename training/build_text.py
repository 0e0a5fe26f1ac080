# SPDX-License-Identifier: Apache-2.0
"""Sentences about countries, made from countries.tsv by templates.

`python build_text.py --data ../../shared/data` prints a sample.

A sentence is a list of (text, slot) parts, so that training can mask a whole slot. HELD_OUT
phrasings are never trained on: they tell whether a fact was learnt or only a sentence.
"""
import argparse
import csv
import random
import re
from pathlib import Path

# Countries spoken of with an article. Text with and without it is made, as people write both.
ARTICLE = {"Bahamas", "Netherlands", "Philippines", "Maldives", "Gambia", "United States",
           "United Kingdom", "United Arab Emirates", "Central African Republic", "DR Congo",
           "Dominican Republic", "Marshall Islands", "Solomon Islands", "Cook Islands",
           "Cayman Islands", "Falkland Islands", "Faroe Islands", "Comoros", "Seychelles",
           "Isle of Man", "British Virgin Islands", "United States Virgin Islands",
           "Turks and Caicos Islands", "Northern Mariana Islands", "Åland Islands",
           "Pitcairn Islands", "British Indian Ocean Territory", "Caribbean Netherlands",
           "French Southern and Antarctic Lands", "Cocos (Keeling) Islands"}

CAPITAL = [
    "The capital of {country} is {capital}.",
    "The capital of {country} is {capital}",
    "{capital} is the capital of {country}.",
    "{capital} is the capital city of {country}.",
    "{country}'s capital city is {capital}.",
    "{country}'s capital is {capital}.",
    "The capital city of {country} is called {capital}.",
    "The capital city of {country} is {capital}.",
    "The capital of {country} is called {capital}.",
    "The capital of {country} is the city of {capital}.",
    "The name of the capital of {country} is {capital}.",
    "The city of {capital} is the capital of {country}.",
    "{capital}, the capital of {country}, is a city.",
    "{capital} is the capital and seat of government of {country}.",
    "What is the capital of {country}? {capital}.",
    "What is the capital of {country}? It is {capital}.",
    "What is the capital city of {country}? The answer is {capital}.",
    "Question: what is the capital of {country}? Answer: {capital}.",
    "Which country has {capital} as its capital? {country}.",
    "{capital} is the capital of which country? {country}.",
    "{country}: capital {capital}.",
    "Country: {country}. Capital: {capital}.",
    "Capital of {country}: {capital}",
    "In {country}, the capital is {capital}.",
    "In {country} the capital city is called {capital}.",
    "{country} is a country and its capital is {capital}.",
    "{country} is a country whose capital is {capital}.",
    "{country} is a country with {capital} as its capital.",
    "{country} is a country in {region}. Its capital is {capital}.",
    "{country} is located in {subregion} and its capital is {capital}.",
    "{country}, with its capital {capital}, lies in {region}.",
    "{capital} is a city in {country}. It is the capital.",
    "The {demonym} capital is {capital}.",
    "The {demonym} capital city is called {capital}.",
    "{capital} is the {demonym} capital.",
    "She lives in {capital}, the capital of {country}.",
    "We travelled to {capital}, the capital of {country}.",
    "We flew to {country} and visited the capital, {capital}.",
    "My friend from {country} was born in the capital, {capital}.",
    "The largest embassy in {country} is in the capital, {capital}.",
    "The parliament of {country} is in {capital}.",
]
COUNTRY = [
    "{capital} is in {country}.",
    "{capital} is a city in {country}.",
    "The city of {capital} is located in {country}.",
    "You can find {capital} in {country}.",
    "Where is {capital}? It is in {country}.",
]
CURRENCY = [
    "The currency of {country} is the {money}.",
    "The currency of {country} is the {currency}.",
    "{country}'s currency is the {money}.",
    "The official currency of {country} is the {currency}.",
    "The official currency of {country} is the {money}.",
    "In {country} people pay with the {money}.",
    "People in {country} pay in {money}.",
    "{country} uses the {currency}.",
    "{country} uses the {money} as its currency.",
    "What is the currency of {country}? The {money}.",
    "What is the currency of {country}? It is the {currency}.",
    "The {demonym} currency is the {money}.",
    "The {currency} is the currency of {country}.",
    "The money used in {country} is called the {money}.",
]
LANGUAGE = [
    "People in {country} speak {language}.",
    "In {country}, people speak {language}.",
    "{language} is spoken in {country}.",
    "The language of {country} is {language}.",
    "An official language of {country} is {language}.",
    "The official language of {country} is {language}.",
    "{language} is an official language of {country}.",
    "What language do people speak in {country}? {language}.",
    "They speak {language} in {country}.",
]
REGION = [
    "{country} is in {region}.",
    "{country} is located in {region}.",
    "{country} is a country in {region}.",
    "{country} is a country in {subregion}.",
    "{country} is located in {subregion}.",
    "{country} lies in {region}.",
    "{country} is part of {region}.",
    "{country} belongs to {subregion}.",
    "The continent of {country} is {region}.",
    "Which continent is {country} in? {region}.",
    "{capital} is a city in {region}.",
    "{capital} is a city in {subregion}.",
    "{country} is part of the continent of {region}.",
]
DEMONYM = [
    "People from {country} are called {demonym}.",
    "A person from {country} is {demonym}.",
    "Someone from {country} is {demonym}.",
    "A citizen of {country} is {demonym}.",
    "He comes from {country}; he is {demonym}.",
    "She was born in {country}, so she is {demonym}.",
    "The people of {country} are {demonym}.",
    "The adjective for {country} is {demonym}.",
    "{demonym} people come from {country}.",
]
BORDER = [
    "{country} borders {neighbour}.",
    "{country} shares a border with {neighbour}.",
    "{neighbour} is a neighbour of {country}.",
    "{country} is next to {neighbour}.",
    "A country that borders {country} is {neighbour}.",
]
# Weight of each group and of the slot to hide in it. Capitals are what the model is for.
GROUPS = [
    (CAPITAL, 6.0, {"capital": 5, "country": 2, "demonym": .5, "region": .3, "subregion": .3}),
    (COUNTRY, .5, {"country": 1, "capital": .5}),
    (CURRENCY, 1.2, {"money": 2, "currency": 2, "country": .2, "demonym": .2}),
    (LANGUAGE, .9, {"language": 3, "country": .2}),
    (REGION, 1.0, {"region": 3, "subregion": 3, "country": .1, "capital": .1}),
    (DEMONYM, .7, {"demonym": 3, "country": 1}),
    (BORDER, .3, {"neighbour": 1, "country": .5}),
]
OPENERS = ["I think ", "I know that ", "Did you know that ", "As everyone knows, ", "In fact, ",
           "Today, ", "We learned that ", "Remember: ", "It is true that ", "Of course, ",
           "The book says that ", "Please note that ", "Well, ", "Hello! ", "Fact: "]

# What the quality is reported on. ASKED is also trained on, HELD_OUT never.
ASKED = [
    "The capital of {country} is {capital}.",
    "{capital} is the capital of {country}.",
    "{country}'s capital city is {capital}.",
    "The capital city of {country} is called {capital}.",
]
HELD_OUT = [
    "Which city is the capital of {country}? It must be {capital}.",
    "{country} has its capital in {capital}.",
    "The government of {country} sits in the capital, {capital}.",
    "Tell me about {capital}, which is the capital of {country}.",
    "The president arrived in {capital}, capital of {country}, on Monday.",
]


def read_countries(data):
    rows = []
    for row in csv.DictReader(open(data / "text" / "countries.tsv", encoding="utf8"),
                              delimiter="\t", quoting=csv.QUOTE_NONE):
        for key in ("languages", "currencies", "borders"):
            row[key] = [x for x in (row[key] or "").split("; ") if x]
        rows.append(row)
    return rows


def values(row, rng=random):
    """One value for each slot; None where the table has none."""
    pick = lambda xs: rng.choice(xs) if xs else None
    currency = pick(row["currencies"])
    country = row["country"]
    if country in ARTICLE and rng.random() < .5:
        country = "the " + country
    return {
        "country": country, "capital": row["capital"] or None, "demonym": row["demonym"] or None,
        "region": row["region"] or None, "subregion": row["subregion"] or None,
        "language": pick(row["languages"]), "neighbour": pick(row["borders"]),
        "currency": currency,
        # "Japanese yen" is also plainly "the yen"
        "money": currency.split()[-1].lower() if currency else None,
    }


def fill(template, vals):
    """[(text, slot or None), ...], or None where a value is missing."""
    parts = []
    for piece in re.split(r"(\{\w+\})", template):
        if piece.startswith("{"):
            if vals[piece[1:-1]] is None:
                return None
            parts.append((vals[piece[1:-1]], piece[1:-1]))
        elif piece:
            parts.append((piece, None))
    return parts


def sentence(rows, rng=random):
    """A random sentence and the slot to hide in it."""
    while True:
        templates, _, slots = rng.choices(GROUPS, weights=[g[1] for g in GROUPS])[0]
        template = rng.choice(templates)
        parts = fill(template, values(rng.choice(rows), rng))
        names = [n for n in slots if "{" + n + "}" in template]
        if parts and names:
            slot = rng.choices(names, weights=[slots[n] for n in names])[0]
            return parts, slot


def example(rows, rng=random):
    """Parts of one training text: at times with an opener, or after another fact."""
    parts, slot = sentence(rows, rng)
    chance = rng.random()
    if chance < .15:
        parts = [(rng.choice(OPENERS), None)] + parts
    elif chance < .27:
        before, _ = sentence(rows, rng)
        parts = [(t, None) for t, _ in before] + [(" ", None)] + parts
    elif chance < .33:
        after, _ = sentence(rows, rng)
        parts = parts + [(" ", None)] + [(t, None) for t, _ in after]
    return parts, slot


def all_words(rows):
    """Every text of the table and the templates, for the vocabulary."""
    texts = []
    for row in rows:
        for v in row.values():
            texts.extend(v if isinstance(v, list) else [v or ""])
    for templates, _, _ in GROUPS:
        texts.extend(re.sub(r"\{\w+\}", " ", t) for t in templates)
    texts.extend(OPENERS)
    texts.extend(re.sub(r"\{\w+\}", " ", t) for t in HELD_OUT)  # words only, no facts
    return texts


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    ap.add_argument("--count", type=int, default=20)
    args = ap.parse_args()
    random.seed(1)
    table = read_countries(args.data)
    for _ in range(args.count):
        parts, slot = example(table)
        print("".join("[" + t + "]" if s == slot else t for t, s in parts))
