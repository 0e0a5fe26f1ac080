# SPDX-License-Identifier: Apache-2.0
"""Trains models/wnut-roberta from scratch: a small RoBERTa that marks people, places, companies and the like.

First masked pieces of prose and of the sentences themselves, then labels on real sentences (their entities often exchanged
for others of the type) and made ones. Every tenth real training sentence is kept out; when to stop and the bias of the label O are chosen on those.
`wnut17-dev.conll` is only reported on. Only the first piece of a word carries its label.
"""
import argparse
import copy
import math
import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers import RobertaConfig, RobertaForMaskedLM, RobertaForTokenClassification

import bytebpe
import prose
from common import ROOT, load_tokenizer, pad, range_penalty, rigorous_bounds, save_model, seed_everything
from descent import Schedule, descend, follow, optimizer
from ner_metrics import capital_scores, dictionary_scores, encode, evaluate
from tagged_text import LABELS, Maker, plain_text, read_wnut
from train_sentiment import cooccurrence_vectors

MAX = 128
PAD, MASK = 1, 4


def run(schedule, opt, model, loss_of, name, each=lambda step: None):
    mean, step = None, 0
    while (done := schedule.done(step)) < 1:
        schedule.set_rate(opt, step, done)
        loss = loss_of()
        mean = loss.item() if mean is None else .98 * mean + .02 * loss.item()
        if step % 10 == 0:
            loss = loss + range_penalty(model)
        descend(opt, loss, model.parameters())
        step += 1
        each(step)
        if step % 100 == 0:
            print(f"{name} {step} {schedule.seconds():.0f}s {mean:.4f}", flush=True)
    print(f"{name} steps {step}", flush=True)


def masked(streams, weights, tokens, size):
    length = random.choice((30, 62))
    rows = []
    for _ in range(tokens // length):
        s = random.choices(streams, weights)[0]
        at = random.randrange(len(s) - length)
        rows.append([0, *s[at:at + length], 2])
    ids = torch.tensor(rows)
    chosen = (torch.rand(ids.shape) < .15) & (ids > 4)
    target = ids.masked_fill(~chosen, -100)
    chance = torch.rand(ids.shape)
    ids = ids.masked_fill(chosen & (chance < .8), MASK)
    return torch.where(chosen & (chance > .9), torch.randint(5, size, ids.shape), ids), target


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    ap.add_argument("--out", type=Path, default=ROOT / "models" / "wnut-roberta")
    ap.add_argument("--mlm-minutes", type=float, default=14, help="the schedules go by the clock; 0: by steps")
    ap.add_argument("--minutes", type=float, default=7)
    ap.add_argument("--mlm-steps", type=int, default=800)
    ap.add_argument("--steps", type=int, default=2000)
    ap.add_argument("--batch", type=int, default=64)
    ap.add_argument("--lr", type=float, default=8e-4)
    ap.add_argument("--dropout", type=float, default=.15)
    ap.add_argument("--vocab", type=int, default=6500)
    ap.add_argument("--seed", type=int, default=7)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    seed_everything(args.seed, args.threads)

    rows = read_wnut(args.data, "train")
    held, real = rows[9::10], [r for i, r in enumerate(rows) if i % 10 != 9]
    dev = read_wnut(args.data, "dev")
    maker = Maker(args.data, real)
    made = [" ".join(maker.made()[0]) for _ in range(6000)]
    tweets = [plain_text(w, True)[0] for w, _ in real]
    other = prose.wikitext(args.data, "valid") + prose.wikitext(args.data, "test")
    if (args.out / "tokenizer.json").exists():
        tok = load_tokenizer(args.out)  # keep token ids stable between runs
    else:
        tok = bytebpe.build(tweets * 3 + made[:1500] + other, args.vocab, "roberta")
        bytebpe.save(tok, args.out, "roberta", MAX)
    size = tok.get_vocab_size()
    config = RobertaConfig(
        vocab_size=size, hidden_size=128, num_hidden_layers=4, num_attention_heads=2, intermediate_size=512, hidden_act="gelu",
        max_position_embeddings=MAX + 2, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=PAD, bos_token_id=0, eos_token_id=2,
        initializer_range=.05, hidden_dropout_prob=args.dropout, attention_probs_dropout_prob=0., classifier_dropout=args.dropout,
        num_labels=len(LABELS), id2label=dict(enumerate(LABELS)), label2id={l: i for i, l in enumerate(LABELS)})
    model = RobertaForTokenClassification(config)
    print("vocabulary", size, "parameters", sum(p.numel() for p in model.parameters()), flush=True)

    stream = lambda ts: [i for e in tok.encode_batch(ts, add_special_tokens=False) for i in e.ids]
    streams, weights = [stream(random.sample(tweets, len(tweets))), stream(made), stream(other)], [.35, .2, .45]
    plain = copy.deepcopy(config)
    plain.hidden_dropout_prob = 0.
    lm = RobertaForMaskedLM(plain)
    with torch.no_grad():
        vectors = cooccurrence_vectors([(streams[0], 3.), (streams[1], .7), (streams[2], 1.)], size, 128, args.seed)
        w = lm.roberta.embeddings.word_embeddings.weight
        w.copy_(torch.tensor(vectors * .05 * math.sqrt(128), dtype=torch.float32) + .01 * torch.randn_like(w))

    def lm_loss():
        ids, target = masked(streams, weights, 2048, size)
        where = target != -100
        return F.cross_entropy(lm.lm_head(lm.roberta(input_ids=ids).last_hidden_state[where]), target[where])
    run(Schedule(args.mlm_minutes, args.mlm_steps, 1e-3, warmup=100), optimizer(lm.parameters(), 1e-3, decay=.02), lm, lm_loss, "mlm")
    model.roberta.load_state_dict(lm.roberta.state_dict(), strict=False)

    def feed():
        while True:
            draw = [(maker.changed if random.random() < .55 else maker.made)() for _ in range(args.batch * 16)]
            draw = [(short_case(w), l) for w, l in draw]
            pool = sorted(encode(tok, draw, lambda: random.random() < .6, MAX), key=lambda e: len(e[0]))
            order = list(range(0, len(pool), args.batch))
            random.shuffle(order)
            for s in order:
                yield pool[s:s + args.batch]
    batches, average = feed(), copy.deepcopy(model)

    def loss_of():
        batch = next(batches)
        ids, target = pad([b[0] for b in batch], PAD), pad([b[1] for b in batch], -100)
        hidden = ids.masked_fill((torch.rand(ids.shape) < .06) & (ids > 4), MASK)  # hang no label on one piece alone
        logits = model(input_ids=hidden, attention_mask=(ids != PAD).long()).logits
        return F.cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=-100)

    best, kept = -1, None

    def each(step):  # so few sentences are soon known by heart: the mean that does best on those held out is the one that ships
        nonlocal best, kept
        if step % 4 == 0:
            follow(average, model, .03)
        if step % 150 == 0:
            scores = evaluate(average.eval(), tok, held)
            print("  held", scores, flush=True)
            if scores["F1"] > best:
                best, kept = scores["F1"], copy.deepcopy(average.state_dict())
                save_model(average, args.out)
    model.train()
    opt = optimizer(model.parameters(), args.lr, decay=.02)
    run(Schedule(args.minutes, args.steps, args.lr, warmup=100), opt, model, loss_of, "ner", each)

    if kept is not None:
        average.load_state_dict(kept)
    best, bias = -1, average.classifier.bias.detach().clone()
    for shift in np.arange(-2, 1.01, .25):  # how readily to say O
        with torch.no_grad():
            average.classifier.bias.copy_(bias)
            average.classifier.bias[0] += shift
        f1 = evaluate(average, tok, held)["F1"]
        if f1 > best:
            best, chosen = f1, shift
    with torch.no_grad():
        average.classifier.bias.copy_(bias)
        average.classifier.bias[0] += chosen
    save_model(average.eval(), args.out)
    print("shift of O", chosen, "held", evaluate(average, tok, held), "dev", evaluate(average, tok, dev),
          "dictionary", dictionary_scores(real + held, dev), "capitals", capital_scores(dev))
    print(rigorous_bounds(average))


def short_case(words):
    """Now and then a sentence all in small or in capital letters, as people write."""
    chance = random.random()
    return [w.lower() for w in words] if chance < .06 else [w.upper() for w in words] if chance < .08 else words


if __name__ == "__main__":
    main()
