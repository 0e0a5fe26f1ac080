# SPDX-License-Identifier: Apache-2.0
"""Trains models/squad-distilbert from scratch: a small DistilBERT that finds the answer to a question in a paragraph.

Three sources take turns (qa_source.py): invented paragraphs, questions made by rule from Wikipedia prose, and the questions
people wrote for 200 XQuAD paragraphs; 40 paragraphs (every sixth) are kept out. So few questions do not teach a small model
the way to an answer, so each part of the way is given or taught by itself:

- attention starts out able to compare: one head of a layer compares words, the other places, and query and key maps start
  equal (`able_to_compare`);
- the second layer learns which words of the text stand in the question, the last but one which sentence has the answer. Both
  tasks fade, and their heads are dropped;
- in a third of the examples all words but the frequent ones are exchanged for others, so that words are looked for, not known.
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
from common import (ROOT, build_tokenizer, load_tokenizer, pad, range_penalty, rigorous_bounds, save_model, save_tokenizer,
                    seed_everything, words_of)
from descent import Schedule, descend, follow, optimizer
from paragraphs import Maker
from qa_metrics import evaluate, split_xquad, handwritten
from qa_source import MAX, Source
from train_sentiment import cooccurrence_vectors

PLACES = 32  # entries of a vector that say where a piece stands
HEAD = 64


@torch.no_grad()
def able_to_compare(model, vectors):
    """Starts word vectors from `vectors`, places from sines, and attention as a comparison: of words in the first head, of places in the others."""
    embeddings, width = model.distilbert.embeddings, vectors.shape[1]
    words, places = embeddings.word_embeddings.weight, embeddings.position_embeddings.weight
    words.copy_(torch.tensor(vectors * .06 * math.sqrt(width), dtype=torch.float32) + .02 * torch.randn_like(words))
    size = words.std()
    words[:, -PLACES:] *= .1
    turns = torch.arange(MAX)[:, None] * torch.exp(-math.log(200) * torch.arange(PLACES // 2) / (PLACES // 2))
    places *= .1
    places[:, -PLACES:] += 1.4 * size * torch.cat([turns.sin(), turns.cos()], 1)
    for layer in model.distilbert.transformer.layer[:3]:
        query = layer.attention.q_lin.weight
        query *= .3
        query[:HEAD, :-PLACES] += 1.2 * torch.randn(HEAD, width - PLACES) / math.sqrt(width - PLACES)
        query[HEAD:HEAD + PLACES, -PLACES:] += 1.6 * torch.eye(PLACES)
        layer.attention.k_lin.weight.copy_(query)


def same_word(ids, sep):
    """1 where the text (second part) has a piece of the question, 0 where not; and where that is asked."""
    second = ((ids == sep).cumsum(1) >= 1) & (ids != sep) & (ids != 0)
    first = (ids == sep).cumsum(1) == 0
    q = ids.masked_fill(~first, -1)[:, :int(first.sum(1).max())]
    return (ids[:, :, None] == q[:, None, :]).any(-1).float(), second


class Helpers(torch.nn.Module):
    """Heads on inner layers, for training only."""

    def __init__(self, model, common):
        super().__init__()
        width, layers = model.config.dim, model.distilbert.transformer.layer
        self.match, self.sentence = torch.nn.Linear(width, 1), torch.nn.Linear(width, 1)
        self._seen, self._common = {}, common
        for name, layer in (("match", layers[1]), ("sentence", layers[-2])):
            layer.register_forward_hook(lambda _m, _i, out, name=name: self._seen.__setitem__(name, out[0] if isinstance(out, tuple) else out))

    def losses(self, ids, sep, sentence_start, sentence_end):
        """(words of the question found in the text, sentence of the answer found), of the last forward pass."""
        target, where = same_word(ids, sep)
        where &= ~torch.isin(ids, self._common)
        match = F.binary_cross_entropy_with_logits(self.match(self._seen["match"])[..., 0][where], target[where])
        scores = self.sentence(self._seen["sentence"])[..., 0].masked_fill(ids == 0, -1e4)
        at = torch.arange(ids.shape[1])[None]
        inside = scores.masked_fill((at < sentence_start[:, None]) | (at > sentence_end[:, None]), -1e4)
        return match, (scores.logsumexp(1) - inside.logsumexp(1)).mean()


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    ap.add_argument("--out", type=Path, default=ROOT / "models" / "squad-distilbert")
    ap.add_argument("--minutes", type=float, default=28, help="the schedule goes by the clock; 0: by steps")
    ap.add_argument("--steps", type=int, default=7600)
    ap.add_argument("--tokens", type=int, default=3000, help="per step")
    ap.add_argument("--lr", type=float, default=1e-3)
    ap.add_argument("--width", type=int, default=128)
    ap.add_argument("--dropout", type=float, default=.08)
    ap.add_argument("--vocab", type=int, default=7500)
    ap.add_argument("--seed", type=int, default=6)
    ap.add_argument("--swap", type=float, default=.35, help="share of examples with other words")
    ap.add_argument("--mix", type=float, nargs=3, default=(.3, .5, .2), help="made, by rule, by people")
    ap.add_argument("--holdout", action="store_true", help="leave out every tenth paragraph to learn from, and report on it: for choices")
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    seed_everything(args.seed, args.threads)

    train, held = split_xquad(args.data)
    if args.holdout:
        train, held = [p for i, p in enumerate(train) if i % 10], train[::10]
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
    made = [i for e in tok.encode_batch([maker.paragraph()[0] for _ in range(2500)], add_special_tokens=False) for i in e.ids]
    able_to_compare(model, cooccurrence_vectors([(source.ids, 1.), (made, .5)], size, args.width, args.seed))
    helpers = Helpers(model, torch.tensor(sorted(source.common)))
    print("vocabulary", size, "parameters", sum(p.numel() for p in model.parameters()), flush=True)

    params = list(model.parameters()) + list(helpers.parameters())
    opt = optimizer(params, args.lr, decay=.02)
    average, mean, step, saved = copy.deepcopy(model), {}, 0, 0
    feed = source.batches(args.tokens, args.mix, args.swap)
    schedule = Schedule(args.minutes, args.steps, args.lr, warmup=150)
    while (done := schedule.done(step)) < 1:
        schedule.set_rate(opt, step, done)
        batch = next(feed)
        ids = pad([e.ids for e in batch])
        start, end, sentence_start, sentence_end = (torch.tensor(column) for column in list(zip(*batch))[1:])
        real = ids != 0
        out = model(input_ids=ids, attention_mask=real.long())
        a, b = (x.masked_fill(~real, -1e4) for x in (out.start_logits, out.end_logits))
        loss = (F.cross_entropy(a, start) + F.cross_entropy(b, end)) / 2
        match, sentence = helpers.losses(ids, sep, sentence_start, sentence_end)
        for k, v in (("span", loss), ("match", match), ("sentence", sentence)):
            mean[k] = v.item() if k not in mean else .98 * mean[k] + .02 * v.item()
        total = loss + 2 * (1 - .8 * done) * match + (1 - .7 * done) * sentence
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
