# SPDX-License-Identifier: Apache-2.0
"""Token classification: encoding of labelled words, entity-level F1, a dictionary baseline."""
from collections import Counter, defaultdict

import torch

from common import pad
from tagged_text import LABELS, entities, plain_text

PAD = 1


def encode(tok, sentences, tight, limit=128):
    """[(ids, labels)]: the first piece of a word has its label, all others -100; `tight()` says how to set punctuation."""
    texts = [plain_text(words, tight()) for words, _ in sentences]
    out = []
    for (text, starts), (_, labels), e in zip(texts, sentences, tok.encode_batch([t for t, _ in texts])):
        label_at = dict(zip(starts, labels))
        row = [LABELS.index(label_at[o[0]]) if o[1] > o[0] and o[0] in label_at else -100 for o in e.offsets]
        # a first piece must not count twice where bytes of one letter share their offset
        seen = set()
        for i, o in enumerate(e.offsets):
            if row[i] != -100 and o[0] in seen:
                row[i] = -100
            seen.add(o[0] if o[1] > o[0] else None)
        out.append((e.ids[:limit], row[:limit]))
    return out


@torch.no_grad()
def predict(model, tok, sentences, tight=False, batch=64, limit=128):
    """The labels of the words of each sentence: each word's first piece decides, a word without one gets O."""
    model.eval()
    out = []
    for i in range(0, len(sentences), batch):
        part = sentences[i:i + batch]
        texts = [plain_text(words, tight) for words, _ in part]
        encoded = tok.encode_batch([t for t, _ in texts])
        ids = pad([e.ids[:limit] for e in encoded], PAD)
        best = model(input_ids=ids, attention_mask=(ids != PAD).long()).logits.argmax(-1)
        for (_, starts), e, row in zip(texts, encoded, best.tolist()):
            first = {}
            for o, label in zip(e.offsets, row):
                if o[1] > o[0]:
                    first.setdefault(o[0], LABELS[label])
            out.append([first.get(s, "O") for s in starts])
    return out


def scores(guesses, sentences):
    """Precision, recall and F1 of entities with exact borders and type."""
    right = said = wanted = 0
    for guess, (words, labels) in zip(guesses, sentences):
        a, b = entities(words, guess), entities(words, labels)
        right, said, wanted = right + len(a & b), said + len(a), wanted + len(b)
    p, r = right / max(1, said), right / max(1, wanted)
    return {"precision": round(p, 4), "recall": round(r, 4), "F1": round(2 * p * r / max(1e-9, p + r), 4), "entities": wanted}


def evaluate(model, tok, sentences, tight=False):
    out = scores(predict(model, tok, sentences, tight), sentences)
    model.train()
    return out


def dictionary_scores(train, sentences):
    """Baseline: the longest run of words that was an entity in the training sentences gets its commonest type."""
    known = defaultdict(Counter)
    for words, labels in train:
        for kind, a, b in entities(words, labels):
            known[tuple(words[a:b])][kind] += 1
    guesses = []
    for words, _ in sentences:
        labels, i = ["O"] * len(words), 0
        while i < len(words):
            for j in range(min(len(words), i + 8), i, -1):
                if tuple(words[i:j]) in known:
                    kind = known[tuple(words[i:j])].most_common(1)[0][0]
                    labels[i:j] = [f"B-{kind}"] + [f"I-{kind}"] * (j - i - 1)
                    i = j - 1
                    break
            i += 1
        guesses.append(labels)
    return scores(guesses, sentences)


def capital_scores(sentences):
    """Baseline: each run of capitalised words that does not open the sentence is a person, the commonest type."""
    guesses = []
    for words, _ in sentences:
        up = [i > 0 and w[0].isupper() and w[1:].islower() for i, w in enumerate(words)]
        guesses.append(["O" if not u else "I-person" if i and up[i - 1] else "B-person" for i, u in enumerate(up)])
    return scores(guesses, sentences)
