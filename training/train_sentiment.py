# SPDX-License-Identifier: Apache-2.0
"""Trains models/sst2-bert from scratch: a small BERT that tells praise from blame.

6920 sentences are too few for a transformer alone, so:
1. word vectors start from a co-occurrence SVD and the body is pre-trained by masked words on the
   sentences themselves, Wikipedia and plays;
2. a teacher of linear n-gram models (naive-Bayes weighted, Wang & Manning 2012) labels fragments
   and splices of the training sentences, so the student sees far more, shorter and softer examples;
3. hand-written words and sentences of praise and blame (lexicon.py) fill the gaps.
The dev file is never read here. `--holdout` keeps a tenth of the training file out for choices.
"""
import argparse
import copy
import math
import random
import time
from collections import Counter
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from scipy.sparse.linalg import svds
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from transformers import BertForMaskedLM, BertForSequenceClassification

import lexicon
from common import (ROOT, build_tokenizer, load_tokenizer, pad, range_penalty, read_shakespeare, read_sst2,
                    read_wikitext, rigorous_bounds, save_model, save_tokenizer, seed_everything, small_config,
                    words_of)


# ---------------------------------------------------------------- teacher

class Teacher:
    """Average of logistic regressions on naive-Bayes weighted word and character n-grams.

    Each is fitted five times without a fifth of the data. The left-out scores calibrate the sum;
    the averaged weights are the teacher.
    """

    def __init__(self, texts, labels, seed):
        words = list(lexicon.prior().items())
        self.prior = dict(words)
        y = np.array(labels)
        docs = texts + [w for w, _ in words]
        self.parts = []
        fold = np.random.RandomState(seed).randint(0, 5, len(texts))
        total = np.zeros(len(texts))
        for vec, c, weight in (
                (CountVectorizer(tokenizer=str.split, token_pattern=None, lowercase=False, binary=True), 1, 1.),
                (CountVectorizer(tokenizer=str.split, token_pattern=None, lowercase=False, binary=True,
                                 ngram_range=(1, 2)), 1, 1.),
                (CountVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, binary=True), .1, 1.)):
            x = vec.fit(docs).transform(texts)
            opinion = np.array([self.prior.get(n, 0) for n in vec.get_feature_names_out()])
            mean, scores = np.zeros(x.shape[1]), np.zeros(len(texts))
            for f in range(5):
                a, b = x[fold != f], y[fold != f]
                p = 1 + np.asarray(a[b == 1].sum(0)).ravel() + 3 * (opinion > 0)
                q = 1 + np.asarray(a[b == 0].sum(0)).ravel() + 3 * (opinion < 0)
                r = np.log(p / p.sum()) - np.log(q / q.sum())
                w = r * LogisticRegression(C=c, max_iter=300).fit(a.multiply(r).tocsr(), b).coef_[0]
                scores[fold == f] = x[fold == f] @ w
                mean += w / 5
            scale = weight / scores.std()
            total += scores * scale
            self.parts.append((vec, mean * scale))
        total += self.opinions(texts)
        line = LogisticRegression().fit(total[:, None], y)
        self.slope, self.shift = line.coef_[0, 0], line.intercept_[0]
        print(f"teacher: left-out accuracy {((total > 0) == y).mean():.4f}", flush=True)

    def opinions(self, texts):
        return np.array([.5 * sum(self.prior.get(w, 0) for w in t.split()) for t in texts])

    def __call__(self, texts):
        s = sum(vec.transform(texts) @ w for vec, w in self.parts) + self.opinions(texts)
        return 1 / (1 + np.exp(-(self.slope * s + self.shift)))


# ---------------------------------------------------------------- examples

def make_examples(texts, labels, teacher, count):
    """[(text, probability of praise)]: sentences, fragments, splices, the lexicon, long texts."""
    fresh, hard, share = [], [], []  # share: how far the true label counts beside the teacher
    for _ in range(count):
        i = random.randrange(len(texts))
        words, kind = texts[i].split(), random.random()
        if kind < .38:  # the sentence, some words dropped
            kept = [w for w in words if random.random() > .12] or words
            fresh.append(" ".join(kept)), hard.append(labels[i]), share.append(.6)
        elif kind < .70:  # a fragment: the less of the sentence is left, the less its label says
            n = 1 + int(random.random() ** 1.5 * len(words))
            s = random.randrange(len(words) - n + 1)
            fresh.append(" ".join(words[s:s + n])), hard.append(labels[i])
            share.append(.6 * (n / len(words)) ** 2)
        elif kind < .79:  # two halves of different sentences: only the teacher can tell
            other = texts[random.randrange(len(texts))].split()
            a, b = random.randrange(len(words)) + 1, random.randrange(len(other))
            fresh.append(" ".join(words[:a] + other[b:])[:500]), hard.append(0), share.append(0)
        elif kind < .96:
            text, label = lexicon.sentence()
            fresh.append(text), hard.append(label), share.append(.95)
        else:  # several sentences of one label: long texts, so that late positions are trained
            same = [t for t in random.sample(range(len(texts)), 12) if labels[t] == labels[i]][:4]
            fresh.append(" ".join([texts[i]] + [texts[t] for t in same])), hard.append(labels[i]), share.append(.9)
    soft, hard, share = teacher(fresh), np.array(hard), np.array(share)
    return list(zip(fresh, share * hard + (1 - share) * soft))


# ---------------------------------------------------------------- starting point

def cooccurrence_vectors(streams, size, dim, seed):
    """SVD of the positive pointwise mutual information of tokens within five places."""
    counts = sp.csr_matrix((size, size))
    for tokens, weight in streams:
        t = np.array(tokens)
        for d in range(1, 6):
            m = sp.coo_matrix((np.full(len(t) - d, weight / d), (t[:-d], t[d:])), shape=(size, size)).tocsr()
            counts = counts + m + m.T
    counts = counts.tocoo()
    row = np.asarray(counts.sum(1)).ravel() + 1e-9
    context = row ** .75 / (row ** .75).sum()
    value = np.log(counts.data / (row[counts.row] * context[counts.col]))
    good = value > 0
    m = sp.csr_matrix((value[good], (counts.row[good], counts.col[good])), shape=(size, size))
    u, s, _ = svds(m, dim, random_state=seed)
    v = u * np.sqrt(s)
    return v / (np.linalg.norm(v, axis=1, keepdims=True) + 1e-6)


def masked_batch(streams, weights, tok, tokens, mask, unk):
    length = random.choice((30, 62))
    rows, labels = [], []
    for _ in range(tokens // length):
        stream = random.choices(streams, weights)[0]
        s = random.randrange(len(stream) - length)
        window = stream[s:s + length]
        hide = [t != unk and random.random() < .18 for t in window]
        rows.append([2] + [mask if h and random.random() < .9 else t for h, t in zip(hide, window)] + [3])
        labels.append([-100] + [t if h else -100 for h, t in zip(hide, window)] + [-100])
    return torch.tensor(rows), torch.tensor(labels)


def optimizer(model, lr, decay):
    return torch.optim.AdamW([
        {"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": decay},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0}], lr=lr, betas=(.9, .98))


def run(steps, minutes, opt, lr, loss_of, model, name):
    """Warm-up and cosine schedule, by steps or by the clock."""
    began, mean, step = time.time(), None, 0
    while True:
        done = (time.time() - began) / 60 / minutes if minutes else step / steps
        if done >= 1:
            return
        for g in opt.param_groups:
            g["lr"] = lr * min(1, (step + 1) / 150) * (.5 + .5 * math.cos(math.pi * done))
        loss = loss_of()
        mean = loss.item() if mean is None else .98 * mean + .02 * loss.item()
        if step % 5 == 0:
            loss = loss + .5 * range_penalty(model)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        step += 1
        if step % 200 == 0:
            print(f"{name} {step} {time.time() - began:.0f}s {mean:.4f}", flush=True)


@torch.no_grad()
def accuracy(model, tok, texts, labels):
    model.eval()
    right = 0
    for i in range(0, len(texts), 64):
        ids = pad([tok.encode(t).ids[:128] for t in texts[i:i + 64]])
        guess = model(input_ids=ids, attention_mask=(ids != 0).long()).logits.argmax(-1)
        right += (guess == torch.tensor(labels[i:i + 64])).sum().item()
    model.train()
    return right / max(1, len(texts))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    ap.add_argument("--out", type=Path, default=ROOT / "models" / "sst2-bert")
    ap.add_argument("--holdout", action="store_true")
    ap.add_argument("--mlm-steps", type=int, default=1400)
    ap.add_argument("--steps", type=int, default=1700)
    ap.add_argument("--mlm-minutes", type=float, default=0, help="stop by the clock instead of by steps")
    ap.add_argument("--minutes", type=float, default=0)
    ap.add_argument("--body", type=Path, help="file to keep the pre-trained body in, to reuse it")
    ap.add_argument("--examples", type=int, default=130_000)
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--lr", type=float, default=6e-4)
    ap.add_argument("--dropout", type=float, default=.15)
    ap.add_argument("--vocab", type=int, default=9000)
    ap.add_argument("--seed", type=int, default=2)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    seed_everything(args.seed, args.threads)

    rows = read_sst2(args.data, "train")
    held = []
    if args.holdout:
        random.Random(7).shuffle(rows)
        held, rows = rows[:700], rows[700:]
    texts, labels = [t for t, _ in rows], [y for _, y in rows]
    prose = read_wikitext(args.data) + read_shakespeare(args.data)
    # keep token ids stable between runs, and the same for a trial run and the shipped model
    shipped = ROOT / "models" / "sst2-bert"
    kept = [f for f in (args.out, shipped) if (f / "tokenizer.json").exists()]
    if kept:
        tok = load_tokenizer(kept[0])
        save_tokenizer(tok, args.out)
    else:
        count = Counter(w for t, _ in read_sst2(args.data, "train") for w in words_of(t))
        required = [w for w, n in count.items() if n >= 2] + list(lexicon.all_words())
        tok = build_tokenizer([t for t in texts for _ in range(3)] + prose, args.vocab, required)
        save_tokenizer(tok, args.out)
    size, mask, unk = tok.get_vocab_size(), tok.token_to_id("[MASK]"), tok.token_to_id("[UNK]")
    print("vocabulary", size, flush=True)

    config = small_config(size, hidden_dropout_prob=args.dropout, attention_probs_dropout_prob=args.dropout,
                          num_labels=2, id2label={0: "NEGATIVE", 1: "POSITIVE"},
                          label2id={"NEGATIVE": 0, "POSITIVE": 1})
    model = BertForSequenceClassification(config)
    if args.body and args.body.exists():
        model.bert.load_state_dict(torch.load(args.body), strict=False)
    else:
        stream = lambda ts: [i for e in tok.encode_batch(ts, add_special_tokens=False) for i in e.ids]
        reviews, other = stream(random.sample(texts, len(texts))), stream(prose)
        lm_config = copy.deepcopy(config)
        lm_config.hidden_dropout_prob = lm_config.attention_probs_dropout_prob = .0
        lm = BertForMaskedLM(lm_config)
        vectors = cooccurrence_vectors([(reviews, 4.), (other, 1.)], size, 128, args.seed)
        with torch.no_grad():  # same size as the random start, .05 each
            w = lm.bert.embeddings.word_embeddings.weight
            w.copy_(torch.tensor(vectors * .05 * math.sqrt(128), dtype=torch.float32) + .005 * torch.randn_like(w))

        def lm_loss():
            ids, target = masked_batch([reviews, other], [.6, .4], tok, 2048, mask, unk)
            where = target != -100
            hidden = lm.bert(input_ids=ids).last_hidden_state[where]
            return F.cross_entropy(lm.cls(hidden), target[where])
        if args.mlm_steps or args.mlm_minutes:
            run(args.mlm_steps, args.mlm_minutes, optimizer(lm, 1e-3, .02), 1e-3, lm_loss, lm, "mlm")
        model.bert.load_state_dict(lm.bert.state_dict(), strict=False)
        if args.body:
            torch.save(lm.bert.state_dict(), args.body)

    began = time.time()
    teacher = Teacher(texts, labels, args.seed)
    if held:
        p = teacher([t for t, _ in held])
        print(f"teacher: holdout accuracy {((p > .5) == np.array([y for _, y in held])).mean():.4f}")
    examples = make_examples(texts, labels, teacher, args.examples)
    encoded = [(e.ids[:128], p) for e, (_, p) in zip(tok.encode_batch([t for t, _ in examples]), examples)]
    print(f"examples {len(encoded)} {time.time() - began:.0f}s", flush=True)

    def batches():
        size = args.batch
        while True:
            random.shuffle(encoded)
            for i in range(0, len(encoded) - size * 16, size * 16):
                pool = sorted(encoded[i:i + size * 16], key=lambda x: len(x[0]))
                order = list(range(0, len(pool), size))
                random.shuffle(order)
                for s in order:
                    yield pool[s:s + size]
    feed = batches()

    average = copy.deepcopy(model)  # running mean of the weights: steadier than the last step

    def loss_of():
        batch = next(feed)
        ids = pad([b[0] for b in batch])
        p = torch.tensor([b[1] for b in batch], dtype=torch.float32)
        # hide some pieces, so that no verdict hangs on one word
        drop = (torch.rand(ids.shape) < .08) & (ids > 4)
        out = model(input_ids=ids.masked_fill(drop, mask), attention_mask=(ids != 0).long()).logits
        with torch.no_grad():
            for a, b in zip(average.parameters(), model.parameters()):
                a.lerp_(b, .005)
        return F.cross_entropy(out, torch.stack([1 - p, p], 1))

    model.train()
    run(args.steps, args.minutes, optimizer(model, args.lr, .03), args.lr, loss_of, model, "sst2")
    if held:
        for name, m in (("last", model), ("average", average)):
            print(name, "holdout accuracy",
                  f"{accuracy(m, tok, [t for t, _ in held], [y for _, y in held]):.4f}", flush=True)
    save_model(average.eval(), args.out)
    print({k: v for k, v in rigorous_bounds(average).items()})


if __name__ == "__main__":
    main()
