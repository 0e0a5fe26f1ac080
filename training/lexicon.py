# SPDX-License-Identifier: Apache-2.0
"""Everyday words of praise and blame, written by hand for this project, and sentences of them.

6920 training sentences leave many common words rare or unseen. These lists are a prior for them;
the templates teach plain negation, which such a small set hardly shows.
"""
import random

POSITIVE_ADJECTIVES = """
good great excellent wonderful amazing awesome fantastic brilliant superb terrific marvelous lovely
beautiful gorgeous stunning delightful charming enjoyable entertaining funny hilarious witty clever
smart intelligent inventive original imaginative creative inspired inspiring moving touching
heartwarming heartfelt poignant powerful compelling gripping riveting engrossing absorbing
fascinating intriguing engaging captivating mesmerizing thrilling exciting suspenseful thoughtful
insightful profound sensitive subtle elegant graceful stylish polished fresh vivid vibrant lively
energetic sweet warm tender gentle sincere honest authentic believable convincing memorable
unforgettable remarkable extraordinary outstanding exceptional impressive masterful perfect flawless
magnificent splendid glorious rich rewarding satisfying refreshing uplifting joyous joyful happy
fun playful delicious dazzling breathtaking spectacular exquisite sublime worthwhile worthy solid
likable likeable lovable endearing appealing pleasant pleasing affecting hypnotic haunting
triumphant unique wise truthful candid humane compassionate ambitious bold daring
courageous accomplished skillful adept talented gifted timeless classic first-rate top-notch
superior best favorite nice fine fabulous incredible irresistible exhilarating electrifying
sparkling crisp sharp luminous lyrical poetic romantic magical enchanting amusing comical
provocative eloquent nuanced credible watchable helpful useful reliable friendly fast comfortable
tasty recommended
""".split()

NEGATIVE_ADJECTIVES = """
bad awful terrible horrible dreadful poor lousy atrocious abysmal appalling pathetic pitiful
miserable boring dull tedious tiresome dreary bland flat lifeless stale predictable formulaic
cliched derivative unoriginal generic uninspired unimaginative uninteresting unfunny humorless
stupid dumb idiotic moronic inane mindless brainless silly ridiculous ludicrous absurd nonsensical
incoherent confusing muddled messy disjointed pointless meaningless empty hollow shallow superficial
vapid thin weak feeble limp lame clumsy awkward inept amateurish incompetent sloppy lazy
contrived forced phony fake false artificial insincere pretentious preachy heavy-handed
manipulative sappy maudlin mawkish sentimental overlong slow sluggish plodding ponderous
interminable endless overwrought overblown overdone bloated excessive annoying irritating grating
obnoxious unpleasant ugly nasty vulgar crude tasteless offensive disgusting repulsive repellent
sleazy cheap tacky tired worn unconvincing implausible unbelievable laughable disappointing
frustrating unsatisfying forgettable mediocre inferior worthless useless unnecessary
unbearable unwatchable painful excruciating wretched woeful dismal disastrous misguided misconceived
ill-conceived half-baked undercooked underwritten wooden stilted stiff listless
dull-witted soulless joyless charmless cynical cold numbing exhausting soggy cloying
trite hackneyed banal routine mundane ordinary uneven unfocused choppy incomprehensible
worst worse unworthy redundant repetitive monotonous sad depressing hateful broken rude
unreliable uncomfortable noisy overpriced
""".split()

POSITIVE_WORDS = """
love loved loves enjoy enjoyed enjoys admire adore delight delights charm charms triumph
masterpiece gem treat joy pleasure treasure winner success marvel wonder beauty wit warmth grace
intelligence insight humor laughter fun brilliance charisma excellence perfection
excels succeeds shines sparkles entertains dazzles inspires captivates recommend superbly
beautifully wonderfully brilliantly perfectly wisely skillfully gracefully hilariously genuinely
best enchants thrills rewards satisfies touches impressed pleased grateful thanks bravo
""".split()

NEGATIVE_WORDS = """
hate hated hates dislike disliked loathe bore bores mess disaster failure flop dud waste wasted
junk trash garbage crap rubbish drivel nonsense stinker bomb turkey cliche cliches contrivance
contrivances stupidity boredom tedium disappointment letdown mistake misfire
travesty embarrassment insult chore ordeal fails failed fail suffers drags sinks stinks sucks
annoys irritates disappoints disappointed lacks lacking neither nothing unfortunately
poorly badly worst wasting pointlessly clumsily painfully awfully terribly mindlessly barely hardly
hopelessly bored annoyed angry refund avoid skip sadly
""".split()

THINGS = """movie film story plot script screenplay acting cast direction performance comedy drama
thriller documentary music dialogue ending picture show book service food place product
soundtrack character cinematography experience song game meal hotel day idea""".split()
DEGREES = ["", "", "", "very ", "really ", "so ", "truly ", "quite ", "extremely ", "just ", "absolutely "]

PLAIN = ["the {t} is {d}{a}", "this {t} is {d}{a}", "it is {d}{a}", "it 's {d}{a}", "{d}{a}", "a {d}{a} {t}",
         "this is a {d}{a} {t}", "what a {a} {t}", "the {t} was {d}{a}", "this was a {d}{a} {t} .",
         "i thought the {t} was {d}{a}", "one of the most {a} films of the year",
         "i found it {d}{a} .", "the {t} is {a} and {b}", "{a} , {b} and {c}", "a {a} and {b} {t}",
         "{a} , {b} {t}", "the {t} is {d}{a} , and the {u} is {b} .", "everything about the {t} was {a} !",
         "we had a {d}{a} time", "overall , a {a} {t} with a {b} {u}", "i feel {a} about it"]
NEGATED = ["the {t} is not {a}", "the {t} is n't {a}", "this {t} is not {d}{a} .", "it is not {d}{a}",
           "not {a}", "not a {a} {t}", "this is not a {a} {t} .", "the {t} was n't {d}{a}", "the {t} was never {a}",
           "it isn't {a}", "it wasn't {a} at all", "there is nothing {a} about this {t}",
           "neither {a} nor {b}", "the {t} is neither {a} nor {b}", "far from {a}",
           "i did n't find it {a}", "i don't think the {t} is {a}", "hardly {a}", "it 's not {a} at all"]
LIKE = ["i {d}{v} this {t}", "i {v} this {t} .", "i {d}{v} it", "we {v} the {t} !", "i {v} every minute of it",
        "you will {v} this {t}", "my family {v} the {t}"]
LIKE_P, LIKE_N = ["love", "loved", "like", "liked", "enjoy", "enjoyed", "adore", "adored", "recommend"], \
                 ["hate", "hated", "dislike", "disliked", "despise", "regret", "loathe"]
NOT_LIKE = ["i do n't {v} this {t}", "i do not {v} this {t} .", "i did n't {v} it", "i didn't {v} the {t} .",
            "i don't {v} it at all", "we did not {v} the {t}", "nobody will {v} this {t}"]
FIXED = [("do not waste your time", 0), ("a waste of time", 0), ("a complete waste of money", 0), ("i want my money back", 0),
         ("i fell asleep", 0), ("i walked out of the {t}", 0), ("save your money", 0), ("it could have been better", 0),
         ("must see", 1), ("a must see {t}", 1), ("highly recommended", 1), ("two thumbs up", 1), ("i laughed and cried", 1),
         ("i would watch it again", 1), ("i would see it again and again", 1), ("the best {t} of the year", 1),
         ("the worst {t} of the year", 0), ("the worst {t} i have ever seen", 0), ("the best {t} i have ever seen", 1),
         ("do n't miss it", 1), ("you should not miss this {t}", 1), ("thumbs down", 0), ("never again", 0),
         ("worth every penny", 1), ("not worth the price", 0), ("not worth seeing", 0), ("well worth seeing", 1),
         ("not bad", 1), ("not bad at all", 1), ("could not be better", 1), ("could not be worse", 0)]


def prior():
    """{word: +1 or -1}; what stands in both lists is left out."""
    good, bad = set(POSITIVE_ADJECTIVES + POSITIVE_WORDS), set(NEGATIVE_ADJECTIVES + NEGATIVE_WORDS)
    return {**{w: 1 for w in good - bad}, **{w: -1 for w in bad - good}}


def sentence(rng=random):
    """(text, label): 1 praise, 0 blame. Negated praise is blame; negated blame only mild praise."""
    label = rng.randrange(2)
    kind = rng.random()
    fill = {"t": rng.choice(THINGS), "u": rng.choice(THINGS), "d": rng.choice(DEGREES)}
    if kind < .08:
        text, label = rng.choice(FIXED)
        return text.format(**fill), label
    if kind < .2:
        if rng.random() < .6:
            return rng.choice(LIKE).format(v=rng.choice(LIKE_P if label else LIKE_N), **fill), label
        return rng.choice(NOT_LIKE).format(v=rng.choice(LIKE_P[2:6] + LIKE_P[8:]), **fill), 0
    negate = kind < .45
    words = POSITIVE_ADJECTIVES if label != negate else NEGATIVE_ADJECTIVES
    for name in "abc":
        fill[name] = rng.choice(words)
    return rng.choice(NEGATED if negate else PLAIN).format(**fill), label


def all_words():
    from common import words_of
    texts = [" ".join(x) for x in (POSITIVE_ADJECTIVES, NEGATIVE_ADJECTIVES, POSITIVE_WORDS, NEGATIVE_WORDS,
                                   THINGS, DEGREES, PLAIN, NEGATED, LIKE, NOT_LIKE, LIKE_P, LIKE_N)]
    texts += [t for t, _ in FIXED]
    return {w for t in texts for w in words_of(t)} - set("{}")
