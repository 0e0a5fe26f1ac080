# SPDX-License-Identifier: Apache-2.0
"""Quality of the question, token and text models as they ship (fp16 weights, computed in float32), beside trivial baselines.

Writes evaluation.json into each model's folder; the model cards repeat those numbers.
"""
import argparse
import json
import math
import random
from pathlib import Path

import torch
from transformers import DistilBertForQuestionAnswering, GPT2LMHeadModel, RobertaForTokenClassification

import ner_metrics
import prose
import qa_metrics
from common import ROOT, load_tokenizer, measured_ranges, seed_everything
from ngram import Bigram
from paragraphs import Maker
from tagged_text import read_wnut
from train_gpt2 import documents, held_out, stream_of


def load(kind, name):
    folder = ROOT / "models" / name
    return kind.from_pretrained(folder, dtype=torch.float32).eval(), load_tokenizer(folder)


def question_answering(data):
    model, tok = load(DistilBertForQuestionAnswering, "squad-distilbert")
    _, held = qa_metrics.split_xquad(data)
    maker = Maker(data, random.Random(99))
    made = [maker.paragraph() for _ in range(60)]
    parts = {"xquad held out": held, "made paragraphs": made, "handwritten paragraphs": qa_metrics.handwritten()}
    scores = {name: {"model": qa_metrics.evaluate(model, tok, part), "baselines": qa_metrics.baseline_scores(part)} for name, part in parts.items()}
    asked = [(q, c) for c, questions in held + qa_metrics.handwritten() for q, _, _ in questions]
    met = measured_ranges(model, [e.ids[:256] for e in tok.encode_batch(asked)])
    return {**scores, "measured": {"questions": len(asked), **{name: round(value, 4) for name, value in met.items()}}}


def entities(data):
    model, tok = load(RobertaForTokenClassification, "wnut-roberta")
    train, dev = read_wnut(data, "train"), read_wnut(data, "dev")
    return {"wnut17-dev": {"model": ner_metrics.evaluate(model, tok, dev),
                           "baselines": {"dictionary of the training entities": ner_metrics.dictionary_scores(train, dev),
                                         "capitalised words are persons": ner_metrics.capital_scores(dev)}}}


@torch.no_grad()
def perplexity(model, ids, window=256, keep=128):
    """Every token once, each with at least `keep` tokens before it, but for the first ones."""
    total, count = 0.0, 0
    for at in range(0, len(ids) - 1, keep):
        start = max(0, at - keep)
        part = torch.tensor(ids[start:at + keep + 1])
        logits = model(input_ids=part[None, :-1][:, -window:]).logits[0].log_softmax(-1)
        wanted = part[1:]
        gains = logits.gather(1, wanted[:, None])[:, 0][at - start:]
        total, count = total - gains.sum().item(), count + len(gains)
    return math.exp(total / count)


@torch.no_grad()
def ranges(model, ids, window=256):
    """Largest values inside, over windows of `ids`: nothing but practice; `tercet model inspect` says what is proved."""
    largest, heads = {}, model.config.n_head

    def note(name, values):
        largest[name] = max(largest.get(name, 0.0), values.abs().max().item())

    def on_attention(_m, _i, out):
        q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in out.chunk(3, -1))
        logits = q @ k.transpose(-1, -2) / q.shape[-1] ** .5
        note("attention_logit", logits.tril())
        note("value", v)
    hooks = [h for block in model.transformer.h for h in (
        block.attn.c_attn.register_forward_hook(on_attention),
        block.mlp.c_fc.register_forward_hook(lambda _m, _i, out: note("gelu", out)))]
    for at in range(0, len(ids) - window, window):
        out = model(input_ids=torch.tensor([ids[at:at + window]]), output_hidden_states=True)
        note("residual", torch.stack(out.hidden_states[:-1]))  # the last of them is behind the final LayerNorm
        note("output", out.logits)
    for hook in hooks:
        hook.remove()
    return {"pieces": (len(ids) - 1) // window * window, **{name: round(value, 2) for name, value in largest.items()}}


def text(data):
    model, tok = load(GPT2LMHeadModel, "tiny-gpt2")
    streams = {n: stream_of(tok, t, n != "play")[0].tolist() for n, t in documents(data, random.Random(5), 12_000).items()}
    size, source, out = tok.get_vocab_size(), {"wikitext-2-test": "wiki", "tinyshakespeare tail": "play"}, {}
    every = Bigram([i for s in streams.values() for i in s], size)
    for name, ids in held_out(data, tok).items():
        ids = list(ids)[:60_000]
        own = Bigram(streams[source[name]], size)  # knows which sort of text comes, as the model can tell from what it reads
        out[name] = {"model": {"perplexity": round(perplexity(model, ids), 1)},
                     "baselines": {"interpolated bigram, all training text": {"perplexity": round(every.perplexity(ids), 1)},
                                   "interpolated bigram, training text of that source": {"perplexity": round(own.perplexity(ids), 1)}},
                     "tokens": len(ids), "measured": ranges(model, ids[:20_500])}
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    args = ap.parse_args()
    seed_everything(0, 2)
    for name, evaluate in (("squad-distilbert", question_answering), ("wnut-roberta", entities), ("tiny-gpt2", text)):
        result = evaluate(args.data)
        print(name, json.dumps(result, indent=1), flush=True)
        (ROOT / "models" / name / "evaluation.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
