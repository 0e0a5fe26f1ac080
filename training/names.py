# SPDX-License-Identifier: Apache-2.0
"""Names to fill templates with: real ones and made-up ones, so that a model learns the place and not the list."""
import random

GIRLS = """Mary Anna Emma Olivia Sophia Maria Laura Julia Sarah Alice Clara Marie Elena Ingrid Fatima Aisha Mei Yuki Priya Nadia
Rosa Carmen Eva Hannah Ruth Grace Margaret Elizabeth Helen Jane Dorothy Amelia Ada Irene Nina Vera Olga Lucia Sofia Leila Rachel
Taylor Jessica Ashley Nicole Megan Amy Kate Lisa Linda Susan Karen Barbara Emily Selena Miley Rihanna Lucy Rebecca""".split()
BOYS = """John James Robert Michael William David Richard Thomas Charles Daniel Matthew Anthony Mark Paul Steven Andrew Joshua
Kevin Brian George Edward Peter Henry Jack Samuel Alexander Benjamin Gustave Louis Pierre Jean Hans Karl Otto Ivan Boris Nikola
Carlos Juan Pedro Luis Diego Ali Omar Hassan Ahmed Ibrahim Wei Jun Hiroshi Kenji Raj Arjun Isaac Albert Leonardo Marco Antonio
Justin Chris Ryan Jason Kyle Eric Adam Josh Nick Joe Mike Steve Tim Zac Harry Liam Noah Ethan Lucas Oliver""".split()
LAST = """Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson Martin Thompson White Harris Clark
Lewis Walker Hall Young King Wright Hill Green Baker Adams Nelson Carter Mitchell Roberts Turner Phillips Campbell Parker Evans
Edwards Collins Stewart Morris Rogers Reed Cook Morgan Bell Murphy Bailey Cooper Cox Ward Gray Watson Brooks Kelly Sanders Price
Bennett Wood Barnes Ross Henderson Coleman Jenkins Perry Powell Long Patterson Hughes Washington Butler Simmons Foster Bryant
Russell Griffin Hayes Eiffel Newton Einstein Curie Darwin Tesla Müller Schmidt Weber Fischer Schneider Rossi Bianchi Ferrari Garcia
Martinez Lopez Gonzalez Rodriguez Fernandez Silva Santos Costa Ivanov Petrov Novak Kowalski Nowak Larsen Hansen Berg Lindqvist
Tanaka Suzuki Sato Kim Park Lee Wang Li Zhang Chen Singh Kumar Patel Khan Hussein Rahman Okafor Mensah Dubois Laurent Bernard Moreau
Bieber Swift Cyrus Gomez Obama Clinton Bush Gaga Beckham""".split()
CITIES = """London Manchester Liverpool Birmingham Leeds Oxford Cambridge Edinburgh Glasgow Dublin New_York Chicago Boston
Los_Angeles San_Francisco Seattle Denver Dallas Houston Miami Atlanta Philadelphia Detroit Toronto Montreal Vancouver Sydney
Melbourne Auckland Munich Hamburg Cologne Frankfurt Milan Naples Turin Venice Florence Barcelona Seville Valencia Lyon Marseille
Bordeaux Nice Rotterdam Antwerp Geneva Zurich Salzburg Krakow Gdansk Kyoto Osaka Nagoya Shanghai Guangzhou Mumbai Kolkata Chennai
Karachi Lahore Istanbul Alexandria Cape_Town Durban Lagos Casablanca Rio_de_Janeiro Recife Guadalajara Medellin Las_Vegas Austin
Texas California Florida Ohio Brooklyn Hollywood Manhattan Portland Orlando Nashville""".split()
COMPANIES = """Google Apple Microsoft Facebook Twitter Amazon Samsung Sony Nokia Intel IBM Toyota Ford Honda BMW Nike Adidas
Starbucks Walmart Disney Netflix YouTube Yahoo Dell Siemens Philips Boeing Airbus Shell BP Pfizer Nestle Target""".split()
PRODUCTS = """iPhone_4 iPad Galaxy_S3 Xbox PlayStation_3 Kindle Windows_7 MacBook_Pro Nintendo_DS Wii Corolla Mustang Civic
iPod_Touch BlackBerry Photoshop Chrome Firefox Nexus_One Big_Mac Diet_Coke""".split()
BANDS = """The_Beatles Coldplay Radiohead Queen Metallica Manchester_United Chelsea Arsenal Real_Madrid Barcelona Lakers
Red_Sox Yankees Giants Cowboys Linkin_Park Green_Day Paramore Jonas_Brothers Liverpool_FC Celtics""".split()
WORKS = """Toy_Story Avatar Inception Twilight Harry_Potter Star_Wars The_Simpsons Lost Glee Titanic The_Office Family_Guy
Breaking_Bad Game_of_Thrones The_Hobbit Iron_Man Paranormal_Activity American_Idol Jersey_Shore""".split()
for _name in ("CITIES", "COMPANIES", "PRODUCTS", "BANDS", "WORKS"):
    globals()[_name] = [w.replace("_", " ") for w in globals()[_name]]

_ONSET = "b br c ch cl d dr f fl g gr h j k kr l m n p pr r s sh st t tr th v w z".split()
_VOWEL = "a e i o u ai ea ou io ie".split()
_CODA = ["", "", "", "n", "r", "l", "s", "t", "m", "nd", "rk", "ll", "th", "x"]
ADJECTIVES = "Golden Silver Silent Lost Hidden Red Blue Black White Green Last First Broken Dark Bright Frozen Secret Burning".split()
NOUNS = """River Mountain Garden Star Moon Sun Crown Bridge Forest Ocean Road House Heart Dream Shadow Mirror Letter Island
Winter Summer Storm Lion Eagle Rose Tower Castle Stone Song Night Door Light Train""".split()


def invented(rng=random, low=2, high=3):
    """A word nobody has seen."""
    word = "".join(rng.choice(_ONSET) + rng.choice(_VOWEL) + (rng.choice(_CODA) if i else "")
                   for i in range(rng.randint(low, high)))
    return word.capitalize()


def given(rng=random, girl=None):
    girl = rng.random() < .5 if girl is None else girl
    return rng.choice(GIRLS if girl else BOYS)


def surname(rng=random):
    return rng.choice(LAST) if rng.random() < .6 else invented(rng)


def person(rng=random, girl=None):
    first = given(rng, girl) if rng.random() < .85 else invented(rng, 1, 2)
    middle = " " + rng.choice("ABCDEFGHJKLMRSTW") + "." if rng.random() < .06 else ""
    return f"{first}{middle} {surname(rng)}"


def city(rng=random):
    chance = rng.random()
    if chance < .55:
        return rng.choice(CITIES)
    return invented(rng) + rng.choice(["", "", "", "ton", "ville", "burg", "field", "port", " City", " Falls"])


def company(rng=random):
    if rng.random() < .4:
        return rng.choice(COMPANIES)
    tail = [" Inc", " Group", " Corporation", " Motors", " Systems", " Airlines", " Bank", " Foods", " Records", " Labs", "", ""]
    return (invented(rng) if rng.random() < .6 else rng.choice(LAST)) + rng.choice(tail)


def title(rng=random):
    form = rng.random()
    if form < .4:
        return f"The {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    if form < .6:
        return f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    if form < .8:
        return f"The {rng.choice(NOUNS)} of {invented(rng)}"
    return f"{rng.choice(NOUNS)} and {rng.choice(NOUNS)}"
