# SPDX-License-Identifier: Apache-2.0
"""Examples for question answering: invented paragraphs, questions made by rule, and questions that people wrote."""
import random
from collections import Counter, namedtuple

import prose
from cloze import SENTENCE, Cloze

MAX = 256
COMMON = 150  # the most frequent pieces say little about where an answer is

# Piece ids; first and last piece of the answer, and of the sentence that has it.
Example = namedtuple("Example", "ids start end sentence_start sentence_end")


def crop(context, start, length, words):
    """A stretch of about that many words around the answer, and where the answer starts in it."""
    left, right = context[:start].split(" "), context[start + length:].split(" ")
    if len(left) + len(right) <= words:
        return context, start
    before = min(len(left), random.randrange(words))
    after = " ".join(right[:max(1, words - before)])
    kept = " ".join(left[len(left) - before:]) if before else ""
    return kept + context[start:start + length] + after, len(kept)


def vary(q, drop=.03):
    """A question as people type it: at times without its mark, or a word missing."""
    words = [w for i, w in enumerate(q.split()) if i == 0 or random.random() > drop]
    return " ".join(words).rstrip("?" if random.random() < .15 else "")


def sentence_of(context, at):
    """(start, end) of the sentence that has that character."""
    start = 0
    for sentence in SENTENCE.split(context):
        if at <= start + len(sentence):
            return start, start + len(sentence)
        start += len(sentence) + 1
    return 0, len(context)


class Source:
    """Draws examples by kind: (made, by rule, by people)."""

    def __init__(self, data, tok, maker, train):
        self.tok, self.maker, self.train = tok, maker, train
        self.prose = prose.wikitext(data, "valid") + prose.wikitext(data, "test") + [c for c, _ in train]
        self.cloze = Cloze(self.prose)
        self.fillers = [s for t in self.cloze.texts for s in t if 30 < len(s) < 180]
        self.ids = [i for e in tok.encode_batch(self.prose, add_special_tokens=False) for i in e.ids]
        special = {i for i in range(tok.get_vocab_size()) if tok.id_to_token(i).startswith("[")}
        self.common = special | {i for i, _ in Counter(self.ids).most_common(COMMON)}
        fixed = self.common | {i for i in range(tok.get_vocab_size()) if any(c.isdigit() for c in tok.id_to_token(i))}
        self.swappable = set(range(tok.get_vocab_size())) - fixed
        self._swaps = sorted(self.swappable)

    def draw(self, n, mix):
        """About n texts (question, context, answer start, answer length)."""
        out = []
        while len(out) < n:
            kind = random.choices(("made", "cloze", "people"), mix)[0]
            if kind == "made":
                context, questions = self.maker.paragraph(self.fillers)
                for q, a, s in random.sample(questions, min(3, len(questions))):
                    out.append((vary(q), context, s, len(a)))
            elif kind == "cloze":
                context, q, a, s = self.cloze.example()
                c, s = crop(context, s, len(a), random.choice((40, 80, 120)))
                out.append((q, c, s, len(a)))
            else:
                context, questions = random.choice(self.train)
                q, a, s = random.choice(questions)
                c, s = crop(context, s, len(a), random.choice((25, 50, 90, 130, 200)))
                out.append((vary(q, .08), c, s, len(a)))
        return out

    def encode(self, texts, swap):
        """Examples; a share of `swap` has other words: the same other piece at every place, but for frequent pieces and numbers.

        What is left to learn from is where the words of the question stand, not which they are: so it is learnt for all words.
        """
        out = []
        for (q, c, s, n), e in zip(texts, self.tok.encode_batch([(q, c) for q, c, _, _ in texts])):
            ids = e.ids if len(e.ids) <= MAX else e.ids[:MAX - 1] + [e.ids[-1]]

            def pieces(a, b):
                return [i for i, (t, o) in enumerate(zip(e.sequence_ids[:len(ids) - 1], e.offsets)) if t == 1 and o[1] > a and o[0] < b]
            answer, sentence = pieces(s, s + n), pieces(*sentence_of(c, s))
            if not answer or not pieces(s + n - 1, s + n):
                continue  # cut off
            if random.random() < swap:
                other = {}
                ids = [other.setdefault(i, random.choice(self._swaps)) if i in self.swappable else i for i in ids]
            out.append(Example(ids, answer[0], answer[-1], sentence[0], sentence[-1]))
        return out

    def batches(self, tokens, mix, swap):
        """Lists of examples of like length, of about that many tokens."""
        while True:
            pool = sorted(self.encode(self.draw(1200, mix), swap), key=lambda e: len(e.ids))
            groups, group = [], []
            for e in pool:
                if group and len(e.ids) * (len(group) + 1) > tokens:
                    groups.append(group)
                    group = []
                group.append(e)
            random.shuffle(groups)
            yield from groups
