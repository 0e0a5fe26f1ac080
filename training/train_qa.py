# SPDX-License-Identifier: Apache-2.0
"""Trains models/squad-distilbert from scratch: a small DistilBERT that finds the answer to a question in a paragraph.

Three sources take turns: invented paragraphs (paragraphs.py), questions made by rule from Wikipedia prose (cloze.py) and
the questions people wrote for 200 XQuAD paragraphs; 40 paragraphs (every sixth) are kept out. Two things help a small
model find words of the question in the text: query and key maps start equal, and an auxiliary task asks, half-way up,
of each piece whether the question has it. The auxiliary head is dropped afterwards.
"""
import argparse
import copy
import math
import random
from collections import Counter
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import DistilBertConfig, DistilBertForQuestionAnswering

import build_text
import prose
from cloze import Cloze
from common import (ROOT, build_tokenizer, load_tokenizer, pad, range_penalty, rigorous_bounds, save_model, save_tokenizer,
                    seed_everything, words_of)
from descent import Schedule, descend, follow, optimizer
from paragraphs import Maker
from qa_metrics import evaluate, split_xquad, handwritten
from train_sentiment import cooccurrence_vectors

MAX = 256


def crop(context, start, length, words):
    """A stretch of about that many words around the answer, and where the answer starts in it."""
    left, right = context[:start].split(" "), context[start + length:].split(" ")
    if len(left) + len(right) <= words:
        return context, start
    before = min(len(left), random.randrange(words))
    after = " ".join(right[:max(1, words - before)])
    kept = " ".join(left[len(left) - before:]) if before else ""
    return kept + context[start:start + length] + after, len(kept)


class Source:
    """Encoded examples (ids, start, end), drawn by source."""

    def __init__(self, data, tok, maker, train):
        self.tok, self.maker, self.train = tok, maker, train
        self.prose = prose.wikitext(data, "valid") + prose.wikitext(data, "test") + [c for c, _ in train]
        self.cloze = Cloze(self.prose)
        self.fillers = [s for t in self.cloze.texts for s in t if 30 < len(s) < 180]

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
                c, s = crop(context, s, len(a), random.choice((25, 50, 90)))
                out.append((q, c, s, len(a)))
            else:
                context, questions = random.choice(self.train)
                q, a, s = random.choice(questions)
                c, s = crop(context, s, len(a), random.choice((25, 50, 90, 130, 200)))
                out.append((vary(q, .08), c, s, len(a)))
        return out

    def encode(self, texts):
        out = []
        for (q, c, s, n), e in zip(texts, self.tok.encode_batch([(q, c) for q, c, _, _ in texts])):
            inside = [i for i, (t, o) in enumerate(zip(e.sequence_ids, e.offsets)) if t == 1 and o[1] > s and o[0] < s + n]
            if inside and inside[-1] < MAX - 1:
                out.append((e.ids if len(e.ids) <= MAX else e.ids[:MAX - 1] + [e.ids[-1]], inside[0], inside[-1]))
        return out


def vary(q, drop=.03):
    """A question as people type it: at times without its mark, or a word missing."""
    words = [w for i, w in enumerate(q.split()) if i == 0 or random.random() > drop]
    return " ".join(words).rstrip("?" if random.random() < .15 else "")


def batches(source, tokens, mix):
    while True:
        pool = sorted(source.encode(source.draw(1200, mix)), key=lambda e: len(e[0]))
        groups, group = [], []
        for e in pool:
            if group and len(e[0]) * (len(group) + 1) > tokens:
                groups.append(group)
                group = []
            group.append(e)
        random.shuffle(groups)
        yield from groups


def same_word(ids, sep):
    """1 where the text (second part) has a piece of the question, 0 where not; and where that is asked."""
    second = ((ids == sep).cumsum(1) >= 1) & (ids != sep) & (ids != 0)
    first = (ids == sep).cumsum(1) == 0
    q = ids.masked_fill(~first, -1)[:, :int(first.sum(1).max())]
    return (ids[:, :, None] == q[:, None, :]).any(-1).float(), second


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    ap.add_argument("--out", type=Path, default=ROOT / "models" / "squad-distilbert")
    ap.add_argument("--minutes", type=float, default=20, help="the schedule goes by the clock; 0: by steps")
    ap.add_argument("--steps", type=int, default=4000)
    ap.add_argument("--tokens", type=int, default=3000, help="per step")
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--width", type=int, default=128)
    ap.add_argument("--dropout", type=float, default=.08)
    ap.add_argument("--vocab", type=int, default=7500)
    ap.add_argument("--seed", type=int, default=6)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    seed_everything(args.seed, args.threads)

    train, held = split_xquad(args.data)
    maker = Maker(args.data)
    rows = build_text.read_countries(args.data)
    if (args.out / "tokenizer.json").exists():
        tok = load_tokenizer(args.out)  # keep token ids stable between runs
    else:
        made = [maker.paragraph() for _ in range(3000)]
        texts = prose.wikitext(args.data, "valid") + prose.wikitext(args.data, "test")
        texts += [" ".join([c] + [q for q, _, _ in qs]) for c, qs in train] * 2 + [c for c, _ in made[:600]]
        count = Counter(w for _, qs in made for q, _, _ in qs for w in words_of(q) if len(w) > 2)
        known = [w for r in rows for k in ("country", "capital", "demonym") for w in words_of(r[k] or "")]
        tok = build_tokenizer(texts, args.vocab, [w for w, n in count.items() if n >= 12] + known)
        save_tokenizer(tok, args.out, "DistilBertTokenizer", MAX)
    size, sep = tok.get_vocab_size(), tok.token_to_id("[SEP]")
    source = Source(args.data, tok, maker, train)
    held_maker = Maker(args.data, random.Random(99))
    held_made = [held_maker.paragraph() for _ in range(60)]

    model = DistilBertForQuestionAnswering(DistilBertConfig(
        vocab_size=size, dim=args.width, n_layers=4, n_heads=args.width // 64, hidden_dim=4 * args.width, activation="gelu",
        max_position_embeddings=MAX, dropout=args.dropout, attention_dropout=0., qa_dropout=0., initializer_range=.05,
        sinusoidal_pos_embds=False, pad_token_id=0))
    layers = model.distilbert.transformer.layer
    with torch.no_grad():
        ids = [i for e in tok.encode_batch(source.prose, add_special_tokens=False) for i in e.ids]
        made = [i for e in tok.encode_batch([maker.paragraph()[0] for _ in range(2500)], add_special_tokens=False) for i in e.ids]
        vectors = cooccurrence_vectors([(ids, 1.), (made, .5)], size, args.width, args.seed)
        w = model.distilbert.embeddings.word_embeddings.weight
        w.copy_(torch.tensor(vectors * .06 * math.sqrt(args.width), dtype=torch.float32) + .02 * torch.randn_like(w))
        for x in layers[:3]:
            x.attention.k_lin.weight.copy_(x.attention.q_lin.weight)
    helper = torch.nn.Linear(args.width, 1)
    seen = {}
    layers[1].register_forward_hook(lambda _m, _i, out: seen.__setitem__("h", out[0] if isinstance(out, tuple) else out))
    print("vocabulary", size, "parameters", sum(p.numel() for p in model.parameters()), flush=True)

    params = list(model.parameters()) + list(helper.parameters())
    opt = optimizer(params, args.lr, decay=.02)
    average, mean, step, saved = copy.deepcopy(model), {}, 0, 0
    feed = batches(source, args.tokens, (.5, .32, .18))
    schedule = Schedule(args.minutes, args.steps, args.lr, warmup=150)
    while (done := schedule.done(step)) < 1:
        schedule.set_rate(opt, step, done)
        batch = next(feed)
        ids = pad([b[0] for b in batch])
        start, end = torch.tensor([b[1] for b in batch]), torch.tensor([b[2] for b in batch])
        real = ids != 0
        out = model(input_ids=ids, attention_mask=real.long())
        a, b = (x.masked_fill(~real, -1e4) for x in (out.start_logits, out.end_logits))
        loss = (F.cross_entropy(a, start) + F.cross_entropy(b, end)) / 2
        target, where = same_word(ids, sep)
        match = F.binary_cross_entropy_with_logits(helper(seen["h"])[..., 0][where], target[where])
        for k, v in (("span", loss), ("match", match)):
            mean[k] = v.item() if k not in mean else .98 * mean[k] + .02 * v.item()
        total = loss + (1 - .8 * done) * match
        if step % 10 == 0:
            total = total + range_penalty(model)
        descend(opt, total, params)
        if step % 4 == 0:
            follow(average, model, .03)
        step += 1
        if step % 100 == 0:
            print(f"{step} {schedule.seconds():.0f}s", {k: round(v, 3) for k, v in mean.items()}, flush=True)
        if schedule.seconds() - saved > 4 * 60:
            saved = schedule.seconds()
            save_model(average.eval(), args.out)
            for name, part in (("made", held_made[:30]), ("xquad", held), ("handwritten", handwritten())):
                print(" ", name, evaluate(average, tok, part), flush=True)
    save_model(average.eval(), args.out)
    print("steps", step, {n: evaluate(average, tok, p) for n, p in
                          (("made", held_made), ("xquad", held), ("handwritten", handwritten()))})
    print(rigorous_bounds(average))


if __name__ == "__main__":
    main()
