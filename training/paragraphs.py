# SPDX-License-Identifier: Apache-2.0
"""Made-up little paragraphs with questions and the exact span of each answer.

`python paragraphs.py` prints a sample. Country facts are true (countries.tsv), all else is invented.
"""
import argparse
import random
import re
from pathlib import Path

import build_text
import names
from paragraph_templates import TEMPLATES

WORDS = {
    "job": "engineer,painter,writer,poet,scientist,chemist,physicist,singer,actor,teacher,doctor,lawyer,farmer,composer,"
           "explorer,politician,king,general,astronaut,footballer,historian,inventor,merchant,nurse,baker,sailor,journalist",
    "field": "physics,chemistry,mathematics,law,medicine,biology,history,music,philosophy,economics,engineering,art,literature",
    "disease": "cancer,pneumonia,malaria,tuberculosis,a heart attack,a fever,cholera",
    "award": "Nobel Prize,Pulitzer Prize,Golden Bear,Academy Award,Silver Medal,Turing Award,Fields Medal,Gold Medal,"
             "Booker Prize,Prize of the City,Medal of Honour",
    "invention": "steam engine,telephone,light bulb,printing press,sewing machine,bicycle,microscope,telescope,radio,camera,"
                 "parachute,water pump,typewriter,thermometer,compass,electric motor,refrigerator,transistor,zipper,windmill",
    "pet": "dog,cat,parrot,horse,rabbit,hamster,turtle,goat,goldfish",
    "food": "soup,pizza,apple pie,noodles,rice,chocolate cake,salad,bread,cheese,pancakes,fish and chips,curry,ice cream,dumplings",
    "colour": "red,blue,green,yellow,white,black,brown,purple,orange,grey,pink,golden",
    "adjective": "famous,large,small,old,modern,beautiful,historic,wealthy,popular,tall,quiet,busy,well-known,young,landlocked",
    "kind": "tower,bridge,museum,church,castle,temple,palace,cathedral,stadium,theatre,library,lighthouse,hospital,school,"
            "wrought-iron lattice tower,railway station,suspension bridge,skyscraper,monument,fortress,hotel",
    "street": "main square,river bank,Champ de Mars,northern hill,east side,harbour,market square,High Street,waterfront",
    "material": "stone,wood,iron,steel,brick,marble,glass,concrete,granite,sandstone,wrought iron,copper,limestone,bamboo",
    "disaster": "a fire,an earthquake,a flood,a storm,a bomb,lightning,an explosion,a hurricane",
    "product": "cars,shoes,computers,furniture,watches,bicycles,toys,medicine,paper,glass,ships,coffee,tea,wine,cheese,software,"
               "airplanes,mobile phones,clothes,chocolate,steel,batteries,paint,soap,jewellery,olive oil,copper,gold,oil,bananas,silk",
    "range": "Alps,Andes,Himalayas,Rocky Mountains,Carpathians,Pyrenees,Atlas Mountains,Ural Mountains,Blue Mountains,Black Hills",
    "sea": "Atlantic Ocean,Pacific Ocean,Indian Ocean,Black Sea,Mediterranean Sea,North Sea,Baltic Sea,Caspian Sea,Red Sea,Gulf of Mexico",
    "animal": "lion,eagle,tiger,bear,elephant,wolf,salmon,crocodile,kangaroo,panda,horse,deer,falcon,otter,leopard,dolphin,camel",
    "animalone": "frog,lizard,owl,monkey,beetle,whale,bat,fox,turtle,parrot,snake,crab,penguin,squirrel,antelope",
    "direction": "north,south,east,west,north-east,south-west,centre",
    "genre": "comedy,horror,science fiction,romantic,historical,fantasy,crime,drama,war,musical",
    "cup": "World Cup,Champions League,national championship,Super Bowl,FA Cup,league title,World Series,Golden Cup,Gold Cup,European Cup",
    "habitat": "rain forests,deserts,mountains,rivers,swamps,coasts,grasslands,caves,forests,coral reefs",
    "foods": "insects,leaves,small fish,fruit,seeds,worms,grass,mice,nuts,shrimp,eggs,plankton,berries,bamboo",
    "cause": "a dispute over land,high taxes,a bad harvest,the murder of the king,religious differences,a trade dispute,"
             "the price of bread,a border conflict,the death of the emperor,fear of invasion,hunger",
    "adjective2": "rare,soft,hard,heavy,light,silvery,colourless,poisonous,bright,dense,radioactive",
    "stuff": "metal,gas,mineral,liquid,crystal,salt,chemical element,alloy,rock,powder",
    "few": "two,three,four,five,six,seven,eight,nine,ten,twelve",
    "group": "Labour Party,Red Cross,Green Party,student union,Royal Society,French army,Roman army,Liberal Party,trade union,"
             "United Nations,church council,Spanish settlers,city council,Olympic Committee,National Guard,peace movement",
}
WORDS = {k: v.split(",") for k, v in WORDS.items()}
MONTHS = "January February March April May June July August September October November December".split()


def _date(rng):
    day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(1500, 2024)
    return rng.choice([f"{day} {month} {year}", f"{month} {day}, {year}", f"{month} {day}", f"{day} {month}",
                       f"Monday, {month} {day}", f"{month} {year}"])


def _big(rng):
    return rng.choice([f"{rng.randint(1, 999)},{rng.randint(0, 999):03}", f"{rng.randint(2, 90)},000", str(rng.randint(100, 9000)),
                       f"{rng.randint(1, 90)}.{rng.randint(1, 9)} million", f"{rng.randint(2, 900)} million", f"{rng.randint(2, 90)} thousand",
                       f"{rng.randint(1, 9)},{rng.randint(0, 999):03},{rng.randint(0, 999):03}"])


def _measure(rng, low, high, units):
    n = rng.randint(low, high)
    return f"{n:,} {rng.choice(units)}" if rng.random() < .7 else f"{n} {rng.choice(units)}"


class Maker:
    """Values of every sort; the countries are those of the table."""

    def __init__(self, data, rng=random):
        self.rows, self.rng = build_text.read_countries(data), rng
        self.blocks = _parse(TEMPLATES)

    def value(self, sort, row):
        rng = self.rng
        if sort in WORDS:
            return rng.choice(WORDS[sort])
        pick = lambda key: rng.choice(rng.choice([r for r in self.rows if r[key]])[key])
        simple = {
            "person": lambda: names.person(rng), "city": lambda: names.city(rng), "company": lambda: names.company(rng),
            "title": lambda: names.title(rng), "given": lambda: names.given(rng), "invented": lambda: names.invented(rng),
            "year": lambda: str(rng.randint(1750, 2024) if rng.random() < .8 else rng.randint(900, 1750)),
            "date": lambda: _date(rng), "big": lambda: _big(rng), "small": lambda: str(rng.randint(2, 99)),
            "country": lambda: rng.choice(self.rows)["country"], "region": lambda: rng.choice(self.rows)["region"],
            "capital": lambda: row["capital"], "subregion": lambda: row["subregion"],
            "currency": lambda: rng.choice(row["currencies"]), "language": lambda: rng.choice(row["languages"]),
            "neighbour": lambda: rng.choice(row["borders"]), "demonyms": lambda: row["demonym"],
            "area": lambda: f"{int(float(row['area_km2'])):,} square kilometres",
            "demonym": lambda: rng.choice([r["demonym"] for r in self.rows if r["demonym"]]),
            "height": lambda: _measure(rng, 10, 3000, ["metres", "feet", "m"]),
            "length": lambda: _measure(rng, 20, 6000, ["kilometres", "miles", "km"]),
            "length2": lambda: _measure(rng, 2, 90, ["centimetres", "cm", "inches", "millimetres"]),
            "weight": lambda: _measure(rng, 2, 900, ["grams", "kilograms", "pounds", "kg"]),
            "temperature": lambda: _measure(rng, 20, 3000, ["degrees", "degrees Celsius", "°C"]),
            "money": lambda: rng.choice(["$", "£", "€"]) + _big(rng) if rng.random() < .6 else f"{_big(rng)} {rng.choice(['dollars', 'euros', 'pounds', 'francs'])}",
            "time": lambda: rng.choice([f"{rng.randint(1, 12)} {rng.choice(['am', 'pm'])}", f"{rng.randint(1, 12)}:{rng.randint(0, 59):02}",
                                        f"{rng.randint(1, 12)} o'clock", "noon", f"half past {rng.choice(['two', 'five', 'seven'])}"]),
            "score": lambda: f"{rng.randint(1, 60)}{rng.choice(['-', '–', ' to '])}{rng.randint(0, 40)}",
            "work": lambda: rng.choice(["film", "novel", "book", "play", "movie"]),
            "team": lambda: rng.choice(names.BANDS) if rng.random() < .4 else names.city(rng) + rng.choice([" United", " FC", " Tigers", " Rovers", " City", " Bears"]),
            "building": lambda: f"{names.surname(rng) if rng.random() < .5 else names.city(rng)} {rng.choice(['Tower', 'Bridge', 'Museum', 'Castle', 'Palace', 'Hall', 'Cathedral', 'Stadium', 'Library', 'House'])}",
            "university": lambda: rng.choice(["University of {c}", "{c} University", "{c} College", "Technical University of {c}"]).format(c=names.city(rng)),
        }
        return simple[sort]()

    def fact(self, fact, subject, forms, values, row):
        """(sentence, [(question, answer, start in sentence)]), or None where a value is missing."""
        rng = self.rng
        used = set()

        def fresh(name):
            for _ in range(20):
                v = self.value(name.rstrip("2"), row)
                if v not in used and v != subject and v not in values:
                    break
            used.add(v)
            return v
        try:
            wording = rng.choice(fact["say"])
            slots = {n: fresh(n) for n in re.findall(r"\{(\w+)\}", wording) if n not in ("S", "he", "his")}
        except IndexError:  # the table has no such value for this country
            return None
        if "" in slots.values():
            return None
        text, where = "", {}
        for piece in re.split(r"(\{[\w']+\})", wording):
            if piece == "{S}":
                v = forms["S"] if text == "" else forms["name"]
                where.setdefault("S", (len(text), v))
            elif piece == "{S's}":
                v = forms["S's"] if text == "" else forms["name"] + "'s"
            elif piece in ("{he}", "{his}"):
                v = forms[piece[1:-1]]
            elif piece.startswith("{"):
                v = slots[piece[1:-1]]
                where.setdefault(piece[1:-1], (len(text), v))
            else:
                v = piece
            text += v
        questions = []
        for slot, forms_of in fact["ask"]:
            if slot not in where or (slot == "S" and where["S"][1] != forms["name"]):
                continue
            fit = [q for q in forms_of if all(n in slots or n == "S" for n in re.findall(r"\{(\w+)\}", q)) and "{" + slot + "}" not in q]
            if fit:
                q = rng.choice(fit).replace("{S's}", forms["name"] + "'s").replace("{S}", forms["name"] if rng.random() < .9 else forms["short"])
                q = q.format(**slots)
                questions.append((q[0].upper() + q[1:], where[slot][1], where[slot][0]))
        values |= set(slots.values())
        return text[0].upper() + text[1:], questions

    def about(self, block, count, first, values):
        """Sentences about one thing of a block."""
        rng, row = self.rng, self.rng.choice(self.rows)
        kind = rng.choice(block["kinds"])
        if kind == "country":
            subject = row["country"]
            if subject in build_text.ARTICLE:
                subject = "the " + subject
        elif kind in ("man", "woman"):
            subject = names.person(rng, kind == "woman")
        else:
            subject = re.sub(r"\{(\w+)\}", lambda m: self.value(m[1], row), rng.choice(block["names"]))
        short = subject.split()[-1] if kind in ("man", "woman") else subject.replace("The ", "the ", 1)
        name = subject if not subject.startswith("The ") else "the" + subject[3:]
        pronoun, own = {"man": ("He", "His"), "woman": ("She", "Her")}.get(kind, ("It", "Its"))
        out = []
        for fact in rng.sample(block["facts"], min(count, len(block["facts"]))):
            forms = {"name": name, "short": short, "S": name, "S's": name + "'s", "he": pronoun.lower(), "his": own.lower()}
            if out or not first:
                if out and rng.random() < .45:
                    forms |= {"S": pronoun, "S's": own}
                elif rng.random() < .3:
                    forms |= {"S": short, "S's": short + "'s"}
            made = self.fact(fact, subject, forms, values, row)
            if made:
                out.append(made)
        return out

    def paragraph(self, fillers=()):
        """(context, [(question, answer, start)])."""
        rng, values = self.rng, set()
        weights = [b["weight"] for b in self.blocks]
        block = rng.choices(self.blocks, weights)[0]
        parts = self.about(block, rng.randint(2, 6), True, values)
        if rng.random() < .4:  # a second thing, often of the same kind, to tell apart by name
            other = block if rng.random() < .7 else rng.choices(self.blocks, weights)[0]
            more = self.about(other, rng.randint(1, 4), False, values)
            parts = parts + more if rng.random() < .7 else more + parts
        if fillers:
            for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
                parts.insert(rng.randint(0, len(parts)), (rng.choice(fillers), []))
        context, questions = "", []
        for sentence, asked in parts:
            context += " " if context else ""
            questions += [(q, a, s + len(context)) for q, a, s in asked]
            context += sentence
        questions = [(q, context[s:s + len(a)], s) for q, a, s in questions]
        return (context, questions) if questions else self.paragraph(fillers)


def _parse(text):
    blocks = []
    for line in text.strip().splitlines():
        if line.startswith("== "):
            kinds, rest = line[3:].split(": ", 1) if ": " in line else (line[3:], "")
            blocks.append({"kinds": [k.strip() for k in kinds.split(",")], "names": rest.split(", ") if rest else ["{" + kinds + "}"],
                           "facts": [], "weight": {"man, woman": 2.5, "building": 2.5, "country": 2.5}.get(kinds, 1)})
            if kinds == "meeting":
                blocks[-1]["names"] = rest.split(", ")
        elif line.startswith("? "):
            slot, asks = line[2:].split(": ", 1)
            blocks[-1]["facts"][-1]["ask"].append((slot, asks.split(" / ")))
        else:
            blocks[-1]["facts"].append({"say": line.split(" / "), "ask": []})
    return blocks


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    maker = Maker(ap.parse_args().data)
    for _ in range(8):
        context, questions = maker.paragraph()
        print(context, *(f"  {q} [{a}]" for q, a, _ in questions), sep="\n")
        assert all(context[s:s + len(a)] == a for q, a, s in questions)
