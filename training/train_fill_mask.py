# SPDX-License-Identifier: Apache-2.0
"""Trains models/capitals-bert: a small BERT that fills in facts about countries.

Batches of template sentences (a whole slot hidden) take turns with batches of Wikipedia text
(15 % of the tokens hidden), so that the model keeps some English besides the facts.
"""
import argparse
import math
import random
import time
from functools import lru_cache
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import BertForMaskedLM

import build_text
from common import (ROOT, build_tokenizer, load_tokenizer, pad, range_penalty, read_wikitext,
                    rigorous_bounds, save_model, save_tokenizer, seed_everything, small_config,
                    words_of)


def wiki_stream(tok, data):
    return [i for p in read_wikitext(data) for i in tok.encode(p, add_special_tokens=False).ids]


def add_noise(ids, labels, free, stream):
    """Foreign words in, over and before the template, so that facts do not hang on its wording.

    `free` marks the template's own words: only they are overwritten, and nothing is put inside a slot.
    """
    span = lambda n: (lambda s: stream[s:s + n])(random.randrange(len(stream) - n))
    ids = [random.choice(stream) if f and l == -100 and random.random() < .07 else i
           for i, l, f in zip(ids, labels, free)]
    gaps = [k for k in range(1, len(ids) + 1) if free[k - 1] or (k < len(ids) and free[k])]
    for k in sorted(random.sample(gaps, min(len(gaps), random.choice((0, 1, 1, 2)))), reverse=True):
        extra = span(random.choice((1, 1, 2, 3, 5)))
        ids[k:k], labels[k:k] = extra, [-100] * len(extra)
    if random.random() < .15:  # a whole context before: late positions must work too
        extra = span(random.randrange(5, 60))
        ids[1:1], labels[1:1] = extra, [-100] * len(extra)
    return ids, labels


def fact_batches(tok, rows, size, stream):
    """Endless batches of (ids, labels); sentences of like length go together."""
    @lru_cache(maxsize=100_000)
    def encode(text):
        return tok.encode(text, add_special_tokens=False).ids

    cls, sep, mask = (tok.token_to_id(t) for t in ("[CLS]", "[SEP]", "[MASK]"))
    while True:
        pool = []
        for _ in range(size * 16):
            parts, slot = build_text.example(rows)
            ids, labels, free = [cls], [-100], [False]
            for text, name in parts:
                for token in encode(text):
                    # the slot always; a few template words, so that grammar is learnt as well
                    hide = name == slot or (name is None and random.random() < .06)
                    ids.append(mask if hide else token)
                    labels.append(token if hide else -100)
                    free.append(name is None)
            if random.random() < .5:
                ids, labels = add_noise(ids, labels, free, stream)
            pool.append((ids[:127] + [sep], labels[:127] + [-100]))
        pool.sort(key=lambda x: len(x[0]))
        starts = list(range(0, len(pool), size))
        random.shuffle(starts)
        for s in starts:
            yield pool[s:s + size]


def wiki_batches(tok, stream, tokens):
    """Endless batches of Wikipedia windows of random length, 15 % of the tokens hidden."""
    cls, sep, mask, unk = (tok.token_to_id(t) for t in ("[CLS]", "[SEP]", "[MASK]", "[UNK]"))
    while True:
        length = random.choice((30, 62, 126))
        batch = []
        for _ in range(tokens // length):
            start = random.randrange(len(stream) - length)
            ids, labels = [cls], [-100]
            for token in stream[start:start + length]:
                if token != unk and random.random() < .15:
                    labels.append(token)
                    chance = random.random()  # BERT's 80/10/10
                    ids.append(mask if chance < .8 else
                               random.randrange(5, tok.get_vocab_size()) if chance < .9 else token)
                else:
                    labels.append(-100)
                    ids.append(token)
            batch.append((ids + [sep], labels + [-100]))
        yield batch


def masked_loss(model, batch):
    """Cross-entropy at the hidden places only: the vocabulary is wide, the rest costs time."""
    ids, labels = pad([b[0] for b in batch]), pad([b[1] for b in batch], -100)
    hidden = model.bert(input_ids=ids, attention_mask=(ids != 0).long()).last_hidden_state
    where = labels != -100
    return F.cross_entropy(model.cls(hidden[where]), labels[where], label_smoothing=.02)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    ap.add_argument("--out", type=Path, default=ROOT / "models" / "capitals-bert")
    ap.add_argument("--steps", type=int, default=3600)
    ap.add_argument("--batch", type=int, default=160)
    ap.add_argument("--lr", type=float, default=1.5e-3)
    ap.add_argument("--minutes", type=float, default=0, help="stop the schedule by the clock instead")
    ap.add_argument("--vocab", type=int, default=7000)
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    seed_everything(args.seed, args.threads)

    rows = build_text.read_countries(args.data)
    texts = build_text.all_words(rows)
    required = [w for t in texts for w in words_of(t)]
    if (args.out / "vocab.txt").exists():
        tok = load_tokenizer(args.out)  # keep token ids stable between runs
    else:
        tok = build_tokenizer(read_wikitext(args.data), args.vocab, required)
        save_tokenizer(tok, args.out, pieces_alone=True)
    model = BertForMaskedLM(small_config(
        tok.get_vocab_size(), hidden_dropout_prob=.0, attention_probs_dropout_prob=.0))
    print("vocabulary", tok.get_vocab_size(), "parameters",
          sum(p.numel() for p in model.parameters()), flush=True)

    decay = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": .02},
                             {"params": plain, "weight_decay": 0}],
                            lr=args.lr, betas=(.9, .98))
    stream = wiki_stream(tok, args.data)
    facts, wiki = fact_batches(tok, rows, args.batch, stream), wiki_batches(tok, stream, 2048)
    began, mean = time.time(), {"facts": 0.0, "wiki": 0.0}
    step = 0
    while True:
        done = (time.time() - began) / 60 / args.minutes if args.minutes else step / args.steps
        if done >= 1:
            break
        rate = args.lr * min(1, (step + 1) / 200) * (.5 + .5 * math.cos(math.pi * done))
        for group in opt.param_groups:
            group["lr"] = rate
        kind = "wiki" if step % 4 == 3 else "facts"
        loss = masked_loss(model, next(wiki if kind == "wiki" else facts))
        mean[kind] = .95 * mean[kind] + .05 * loss.item()
        if step % 5 == 0:
            loss = loss + .5 * range_penalty(model)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        step += 1
        if step % 200 == 0:
            print(f"{step} {time.time() - began:.0f}s facts {mean['facts']:.3f} "
                  f"wiki {mean['wiki']:.3f}", flush=True)
    save_model(model.eval(), args.out)
    print("steps", step, rigorous_bounds(model))


if __name__ == "__main__":
    main()
