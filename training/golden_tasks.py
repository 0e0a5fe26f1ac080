# SPDX-License-Identifier: Apache-2.0
"""Writes test/vectors/tasks.json: what transformers answers for the question, token and text models.

Run it again whenever one of them changes. The fp16 weights are widened to float32 and computed in float32.
"""
import argparse
import json
from pathlib import Path

import tokenizers
import torch
import transformers
from transformers import AutoTokenizer
from transformers.utils import logging

from common import ROOT, load_model, load_tokenizer, seed_everything
from examples import PARAGRAPHS, PROMPTS, SENTENCES

logging.set_verbosity_error()
NEW_TOKENS = 16


def short(values):
    """6 significant digits."""
    return [short(v) for v in values] if isinstance(values, list) else float(f"{values:.6g}")


def same_ids(folder, tok, *texts):
    """The ids, after a look that transformers' own loading of the folder agrees with tokenizer.json."""
    ids = tok.encode(*texts).ids
    assert AutoTokenizer.from_pretrained(folder)(*texts)["input_ids"] == ids, f"AutoTokenizer differs for {texts}"
    return ids


@torch.no_grad()
def question_cases(folder):
    model, tok, out = load_model(folder), load_tokenizer(folder), []
    for question, context in PARAGRAPHS:
        ids = same_ids(folder, tok, question, context)
        e, got = tok.encode(question, context), model(input_ids=torch.tensor([ids]))
        out.append({"question": question, "context": context, "ids": ids, "typeIds": e.type_ids,
                    "start": short(got.start_logits[0].tolist()), "end": short(got.end_logits[0].tolist())})
    return out


@torch.no_grad()
def token_cases(folder):
    model, tok, out = load_model(folder), load_tokenizer(folder), []
    for text in SENTENCES:
        ids = same_ids(folder, tok, text)
        logits = model(input_ids=torch.tensor([ids])).logits[0]
        out.append({"text": text, "ids": ids, "tokens": tok.encode(text).tokens, "logits": short(logits.tolist()),
                    "labels": [model.config.id2label[i] for i in logits.argmax(-1).tolist()]})
    return out


@torch.no_grad()
def text_cases(folder):
    model, tok, out = load_model(folder), load_tokenizer(folder), []
    for text in PROMPTS:
        ids = same_ids(folder, tok, text)
        row = torch.tensor([ids])
        last = model(input_ids=row).logits[0, -1]
        greedy = model.generate(row, attention_mask=torch.ones_like(row), max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS,
                                do_sample=False, eos_token_id=None, pad_token_id=0)[0, len(ids):].tolist()
        out.append({"text": text, "ids": ids, "logits": short(last.tolist()), "greedy": greedy,
                    "continuation": tok.decode(greedy, skip_special_tokens=True)})
    return out


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--models", type=Path, default=ROOT / "models")
    ap.add_argument("--out", type=Path, default=ROOT / "test" / "vectors" / "tasks.json")
    args = ap.parse_args()
    seed_everything(1, 1)
    parts = {"squad-distilbert": question_cases, "wnut-roberta": token_cases, "tiny-gpt2": text_cases}
    made = {"versions": {"tokenizers": tokenizers.__version__, "transformers": transformers.__version__,
                         "torch": torch.__version__.split("+")[0]}}
    made |= {name: make(args.models / name) for name, make in parts.items() if (args.models / name / "model.safetensors").exists()}
    args.out.write_text(json.dumps(made, separators=(",", ":")) + "\n")
    print(args.out.name, args.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
