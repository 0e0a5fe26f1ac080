# SPDX-License-Identifier: Apache-2.0
"""Question answering: best span of a paragraph, exact match and F1 as SQuAD counts them, and trivial baselines."""
import re
import string
from collections import Counter

import torch

import prose
from common import pad

LONGEST = 20  # pieces of an answer


def split_xquad(data):
    """(200 paragraphs to learn from, 40 held out): every sixth, so from nearly all articles' subjects."""
    all_ = prose.xquad(data)
    return [p for i, p in enumerate(all_) if i % 6 != 5], [p for i, p in enumerate(all_) if i % 6 == 5]


def normal(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def score(guess, answer):
    """(exact match, F1)"""
    g, a = normal(guess), normal(answer)
    same = sum((Counter(g) & Counter(a)).values())
    return float(g == a), 2 * same / (len(g) + len(a)) if same else 0.0


@torch.no_grad()
def answers(model, tok, pairs, batch=32):
    """The best span for each (question, context)."""
    model.eval()
    out = []
    for i in range(0, len(pairs), batch):
        enc = tok.encode_batch(pairs[i:i + batch])
        ids = pad([e.ids[:256] for e in enc])
        got = model(input_ids=ids, attention_mask=(ids != 0).long())
        for e, (_, context), s, t in zip(enc, pairs[i:i + batch], got.start_logits, got.end_logits):
            inside = [k for k, q in enumerate(e.sequence_ids[:256]) if q == 1]
            low, high = inside[0], inside[-1] + 1
            sums = s[low:high, None] + t[None, low:high]
            sums = sums.masked_fill(~torch.ones_like(sums).triu().tril(LONGEST - 1).bool(), -1e9)
            a, b = divmod(int(sums.argmax()), high - low)
            out.append(context[e.offsets[low + a][0]:e.offsets[low + b][1]])
    return out


def evaluate(model, tok, paragraphs):
    """{'EM', 'F1', 'questions'}"""
    cases = [(q, c, a) for c, qs in paragraphs for q, a, _ in qs]
    guesses = answers(model, tok, [(q, c) for q, c, _ in cases])
    model.train()
    return mean_scores(guesses, [a for _, _, a in cases])


def mean_scores(guesses, wanted):
    s = [score(g, a) for g, a in zip(guesses, wanted)]
    return {"EM": round(sum(e for e, _ in s) / len(s), 4), "F1": round(sum(f for _, f in s) / len(s), 4), "questions": len(s)}


# ---------------------------------------------------------------- baselines

def _overlap(a, b):
    return len(set(normal(a)) & set(normal(b)))


def _best_sentence(q, c):
    return max(re.split(r"(?<=[.!?]) ", c), key=lambda s: _overlap(q, s))


def _window(q, c, size=3):
    """The words that lie in the middle of most words of the question, and are none of them."""
    words, asked = c.split(), set(normal(q))
    hit = [bool(set(normal(w)) & asked) for w in words]

    def worth(i):
        near = sum(1 / (1 + min(abs(k - i), abs(k - i - size + 1))) for k in range(max(0, i - 8), min(len(words), i + size + 8)) if hit[k])
        return near - 2 * sum(hit[i:i + size])
    best = max(range(max(1, len(words) - size + 1)), key=worth)
    return " ".join(words[best:best + size])


def _first_name(q, c):
    """The first name or number, not in the question, of the sentence that shares most words with it."""
    for m in re.finditer(r"(?:[A-Z][\w'-]*(?: [A-Z][\w'-]*)*|\d[\d,.]*\d|\d)", _best_sentence(q, c)):
        if m.start() > 0 and not set(normal(m[0])) & set(normal(q)):
            return m[0]
    return _best_sentence(q, c)


BASELINES = {"first sentence": lambda q, c: re.split(r"(?<=[.!?]) ", c)[0], "best sentence": _best_sentence,
             "sliding window": _window, "first name or number of the best sentence": _first_name}


def baseline_scores(paragraphs):
    cases = [(q, c, a) for c, qs in paragraphs for q, a, _ in qs]
    return {n: mean_scores([f(q, c) for q, c, _ in cases], [a for _, _, a in cases]) for n, f in BASELINES.items()}


# ---------------------------------------------------------------- paragraphs in our own words

_HAND = """
The Eiffel Tower is a wrought-iron lattice tower on the Champ de Mars in Paris, France. It is named after the engineer Gustave Eiffel, whose company designed and built the tower from 1887 to 1889. The tower is 330 metres tall and is visited by almost seven million people every year.
? Who is the Eiffel Tower named after? = Gustave Eiffel | Where is the Eiffel Tower? = Champ de Mars in Paris, France | How tall is the Eiffel Tower? = 330 metres | How many people visit the tower every year? = almost seven million | In which city is the Eiffel Tower? = Paris
Marie Curie was a Polish and French physicist and chemist. She was born in Warsaw in 1867 and studied at the University of Paris. Together with her husband Pierre Curie she discovered polonium and radium. In 1903 she won the Nobel Prize in Physics.
? Where was Marie Curie born? = Warsaw | When was Marie Curie born? = 1867 | Who was the husband of Marie Curie? = Pierre Curie | What did Marie Curie win in 1903? = Nobel Prize in Physics | Where did Marie Curie study? = University of Paris
Japan is an island country in East Asia. Its capital and largest city is Tokyo. The population of Japan is about 125 million. People speak Japanese and pay with the yen. The highest mountain is Mount Fuji, which is 3,776 metres high.
? What is the capital of Japan? = Tokyo | How many people live in Japan? = about 125 million | What do people in Japan pay with? = yen | How high is Mount Fuji? = 3,776 metres | What is the highest mountain? = Mount Fuji
The bakery opens at 7 am every day except Monday. A loaf of bread costs 3 euros. Mrs. Keller, who has owned the shop since 1998, bakes the bread herself. Her daughter Lena sells cakes and coffee in the afternoon.
? When does the bakery open? = 7 am | How much does a loaf of bread cost? = 3 euros | Who bakes the bread? = Mrs. Keller | What does Lena sell? = cakes and coffee | Since when has Mrs. Keller owned the shop? = 1998
The Nile is a major river in northeastern Africa. It is 6,650 kilometres long and flows into the Mediterranean Sea. The largest city on the river is Cairo, the capital of Egypt. Crocodiles and hippos live in the water.
? How long is the Nile? = 6,650 kilometres | What does the Nile flow into? = Mediterranean Sea | What is the largest city on the river? = Cairo | What is the capital of Egypt? = Cairo | Where is the Nile? = northeastern Africa
William Shakespeare was an English playwright and poet. He was born in Stratford-upon-Avon in 1564. At the age of 18 he married Anne Hathaway, with whom he had three children. He wrote Hamlet around 1600 and died on 23 April 1616.
? Who did Shakespeare marry? = Anne Hathaway | How many children did Shakespeare have? = three | When did Shakespeare die? = 23 April 1616 | Where was William Shakespeare born? = Stratford-upon-Avon | What was William Shakespeare? = playwright and poet
Our team meets in room 12 on Tuesday at 10 o'clock. Sarah presents the budget and Tom talks about the new website. The customer, Nordwind Energy, has paid 40,000 dollars for the project. The deadline is 15 March.
? In which room does the team meet? = 12 | Who presents the budget? = Sarah | How much has the customer paid? = 40,000 dollars | When is the deadline? = 15 March | What does Tom talk about? = the new website
The giant panda is a bear found in the mountains of central China. It eats almost nothing but bamboo. An adult weighs about 100 kilograms. In 1869 the French missionary Armand David was the first European to describe it.
? What does the giant panda eat? = bamboo | Where is the giant panda found? = mountains of central China | How much does an adult weigh? = about 100 kilograms | Who was the first European to describe it? = Armand David | When was the giant panda described? = 1869
"""


def handwritten():
    """[(context, [(question, answer, start)])]: eight paragraphs with 40 questions, none used for training."""
    lines, out = _HAND.strip().splitlines(), []
    for context, asked in zip(lines[::2], lines[1::2]):
        pairs = [p.rsplit(" = ", 1) for p in asked[2:].split(" | ")]
        out.append((context, [(q, a.strip(), context.index(a.strip())) for q, a in pairs]))
    return out
