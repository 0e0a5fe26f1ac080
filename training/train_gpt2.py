# SPDX-License-Identifier: Apache-2.0
"""Trains models/tiny-gpt2 from scratch: a small GPT-2 that goes on with an English text.

Windows of Wikipedia prose, plays and little stories; held out: another part of Wikipedia and the plays' last tenth.
The model is written every few minutes, so a usable one exists at any time.
"""
import argparse
import copy
import math
import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers import GPT2Config, GPT2LMHeadModel

import build_text
import bytebpe
import prose
import stories
from common import ROOT, load_tokenizer, save_model, seed_everything
from descent import Schedule, descend, follow, optimizer


def documents(data, rng, made):
    """Lists of texts by source; held-out text is not among them."""
    play, _ = prose.shakespeare(data)
    table = build_text.read_countries(data)
    return {"wiki": prose.wikitext(data, "valid") + [c for c, _ in prose.xquad(data)],
            "play": [b + "\n\n" for b in play.split("\n\n") if b],
            "made": [stories.story(rng) if rng.random() < .6 else stories.facts(table, rng) for _ in range(made)]}


def held_out(data, tok):
    """Token streams never trained on."""
    wiki = "\n".join(prose.wikitext(data, "test"))
    return {"wikitext-2-test": tok.encode(wiki).ids, "tinyshakespeare tail": tok.encode(prose.shakespeare(data)[1]).ids}


def stream_of(tok, texts, end):
    """One long row of ids and the places where a text starts; a text ends with <|endoftext|> but in plays."""
    ids, starts = [], []
    for e in tok.encode_batch(texts):
        starts.append(len(ids))
        ids += e.ids + ([0] if end else [])
    return np.array(ids, dtype=np.int64), starts


def windows(streams, weights, tokens):
    """Endless batches (rows, length); half of the windows begin where a text begins."""
    names = list(streams)
    while True:
        length = random.choice((64, 128, 128, 256))
        rows = []
        for _ in range(tokens // length):
            ids, starts = streams[random.choices(names, [weights[n] for n in names])[0]]
            at = random.choice(starts) if random.random() < .5 else random.randrange(len(ids))
            at = min(at, len(ids) - length - 1)
            rows.append(ids[at:at + length + 1])
        yield torch.tensor(np.stack(rows))


@torch.no_grad()
def loss_per_token(model, ids, width=256):
    """Mean negative log-likelihood: windows of `width`, of which the second half is scored (the first one whole)."""
    model.eval()
    total = count = 0
    half, rows = width // 2, []
    for at in range(0, len(ids) - width, half):
        rows.append(ids[at:at + width])
    for i in range(0, len(rows), 16):
        x = torch.tensor(rows[i:i + 16])
        nll = F.cross_entropy(model(input_ids=x).logits[:, :-1].transpose(1, 2), x[:, 1:], reduction="none")
        total += nll[:, half - 1:].sum().item() + (nll[0, :half - 1].sum().item() if i == 0 else 0)
        count += nll[:, half - 1:].numel() + (half - 1 if i == 0 else 0)
    model.train()
    return total / count


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    ap.add_argument("--out", type=Path, default=ROOT / "models" / "tiny-gpt2")
    ap.add_argument("--minutes", type=float, default=45, help="the schedule goes by the clock; 0: by steps")
    ap.add_argument("--steps", type=int, default=7000)
    ap.add_argument("--resume", action="store_true", help="go on with the weights of --out, with a new schedule")
    ap.add_argument("--tokens", type=int, default=1024, help="per step")
    ap.add_argument("--lr", type=float, default=2e-3)
    ap.add_argument("--dropout", type=float, default=.12)
    ap.add_argument("--vocab", type=int, default=4096)
    ap.add_argument("--seed", type=int, default=5)
    ap.add_argument("--threads", type=int, default=2)
    args = ap.parse_args()
    seed_everything(args.seed, args.threads)

    texts = documents(args.data, random, 12_000)
    if (args.out / "tokenizer.json").exists():
        tok = load_tokenizer(args.out)  # keep token ids stable between runs
    else:
        tok = bytebpe.build(texts["wiki"] + texts["play"] + texts["made"][:2000], args.vocab, "gpt2")
        bytebpe.save(tok, args.out, "gpt2", 256)
    streams = {n: stream_of(tok, t, n != "play") for n, t in texts.items()}
    print({n: len(s[0]) for n, s in streams.items()}, flush=True)
    held = held_out(args.data, tok)

    model = GPT2LMHeadModel(GPT2Config(
        vocab_size=tok.get_vocab_size(), n_positions=256, n_embd=192, n_layer=4, n_head=3, activation_function="gelu_new",
        resid_pdrop=args.dropout, embd_pdrop=args.dropout, attn_pdrop=0, bos_token_id=0, eos_token_id=0))
    if args.resume:
        model = GPT2LMHeadModel.from_pretrained(args.out, dtype=torch.float32)
        model.train()
    print("parameters", sum(p.numel() for p in model.parameters()), flush=True)
    opt = optimizer(model.parameters(), args.lr, decay=.1)
    feed = windows(streams, {"wiki": .5, "play": .28, "made": .22}, args.tokens)
    average, mean, step, saved = copy.deepcopy(model), None, 0, 0
    schedule = Schedule(args.minutes, args.steps, args.lr, warmup=100)
    while (done := schedule.done(step)) < 1:
        schedule.set_rate(opt, step, done)
        batch = next(feed)
        logits = model(input_ids=batch[:, :-1]).logits
        loss = F.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        descend(opt, loss, model.parameters())
        if step % 4 == 0:
            follow(average, model, .05)
        mean = loss.item() if mean is None else .98 * mean + .02 * loss.item()
        step += 1
        if step % 100 == 0:
            print(f"{step} {schedule.seconds():.0f}s {mean:.3f}", flush=True)
        if schedule.seconds() - saved > 3 * 60:
            saved = schedule.seconds()
            save_model(average.eval(), args.out)
            print({n: round(math.exp(loss_per_token(average, ids[:20_000])), 1) for n, ids in held.items()}, flush=True)
    save_model(average.eval(), args.out)
    print("steps", step, {n: round(math.exp(loss_per_token(average, ids)), 2) for n, ids in held.items()})


if __name__ == "__main__":
    main()
