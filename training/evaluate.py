# SPDX-License-Identifier: Apache-2.0
"""Measures the shipped (fp16-rounded) models: quality, number ranges, rigorous bounds.

Writes `evaluation.json` beside each model and, between the markers of its README.md, the tables.
"""
import argparse
import json
import re
from pathlib import Path

import torch
from transformers.utils import logging

import build_text
from common import (ROOT, load_model, load_tokenizer, measured_ranges, pad, read_sst2,
                    read_wikitext, rigorous_bounds, seed_everything)

logging.set_verbosity_error()


@torch.no_grad()
def fill(model, tok, cases, batch=128):
    """cases: (text with [MASK]s, [acceptable answers as id lists]). Share with every mask right."""
    mask, right = tok.token_to_id("[MASK]"), 0
    rows = [tok.encode(text).ids for text, _ in cases]
    misses = []
    for i in range(0, len(rows), batch):
        ids = pad(rows[i:i + batch])
        best = model(input_ids=ids, attention_mask=(ids != 0).long()).logits.argmax(-1)
        for j, row in enumerate(ids):
            guess = best[j][row == mask].tolist()
            text, answers = cases[i + j]
            if guess in answers:
                right += 1
            else:
                misses.append((text, " ".join(tok.id_to_token(g) for g in guess)))
    return right / max(1, len(rows)), misses


def cases_for(tok, rows, template, slot):
    """One case per country. As many masks as the answer has pieces; any of several values counts."""
    encode = lambda s: tok.encode(s, add_special_tokens=False).ids
    out = []
    for row in rows:
        listed = {"language": row["languages"], "currency": row["currencies"],
                  "money": [c.split()[-1].lower() for c in row["currencies"]],
                  "neighbour": row["borders"]}.get(slot)
        answers = listed if listed is not None else [row[slot]] if row.get(slot) else []
        if not answers:
            continue
        answers = [encode(a) for a in answers]
        vals = {"country": row["country"], "capital": row["capital"], "demonym": row["demonym"],
                "region": row["region"], "subregion": row["subregion"]}
        vals[slot] = " ".join(["[MASK]"] * len(answers[0]))
        if any(vals.get(n) in (None, "") for n in re.findall(r"\{(\w+)\}", template)):
            continue
        out.append((template.format(**vals), answers))
    return out


def evaluate_fill_mask(folder, data):
    model, tok = load_model(folder), load_tokenizer(folder)
    rows = build_text.read_countries(data)
    quality, misses = {}, []
    for template in build_text.ASKED + build_text.HELD_OUT:
        name = template.replace("{capital}", "[MASK]")
        quality[name], m = fill(model, tok, cases_for(tok, rows, template, "capital"))
        if template == build_text.ASKED[0]:
            misses = m
    for template, slot in (("{capital} is the capital of {country}.", "country"),
                           ("The currency of {country} is the {money}.", "money"),
                           ("The official currency of {country} is the {currency}.", "currency"),
                           ("People in {country} speak {language}.", "language"),
                           ("{country} is in {region}.", "region"),
                           ("{country} belongs to {subregion}.", "subregion"),
                           ("People from {country} are called {demonym}.", "demonym"),
                           ("{country} borders {neighbour}.", "neighbour")):
        name = template.replace("{" + slot + "}", "[MASK]")
        quality[name], _ = fill(model, tok, cases_for(tok, rows, template, slot))
    bare = lambda t: t.removesuffix(".")
    quality["The capital of {country} is [MASK]"] = fill(
        model, tok, cases_for(tok, rows, bare(build_text.ASKED[0]), "capital"))[0]
    texts = [t for t, _ in sum((cases_for(tok, rows, t, "capital")
                                for t in build_text.ASKED + build_text.HELD_OUT), [])]
    ids = [tok.encode(t).ids for t in texts]
    ids += [tok.encode(p).ids[:128] for p in read_wikitext(data)[:600]]
    return model, quality, ids, {"misses": misses}


@torch.no_grad()
def sentiment_scores(model, rows, batch=64):
    out = []
    for i in range(0, len(rows), batch):
        ids = pad(rows[i:i + batch])
        out.append(model(input_ids=ids, attention_mask=(ids != 0).long()).logits)
    return torch.cat(out)


def evaluate_sentiment(folder, data):
    model, tok = load_model(folder), load_tokenizer(folder)
    quality, ids = {}, []
    for part in ("train", "dev"):
        rows = read_sst2(data, part)
        enc = [tok.encode(t).ids[:128] for t, _ in rows]
        guess = sentiment_scores(model, enc).argmax(-1)
        quality[f"sst2-{part} accuracy"] = (guess == torch.tensor([y for _, y in rows])).float().mean().item()
        ids += enc
    return model, quality, ids, {}


def table(result):
    lines = ["| measured on the shipped fp16 weights | value |", "| --- | --- |"]
    for k, v in result["quality"].items():
        lines.append(f"| `{k}` | {100 * v:.1f} % |")
    m, b = result["measured"], result["rigorous"]
    top = lambda x: max(max(r) if isinstance(r, list) else r for r in x)
    lines += ["", f"| range | largest over {result['texts']} texts | bound for any input |", "| --- | --- | --- |",
              f"| \\|input of GeLU\\|, prediction head included | {m['gelu']:.2f} | {max(top(b['gelu']), b.get('head_gelu', 0)):.2f} |"]
    lines += [f"| \\|attention logit\\| after 1/sqrt(d) | {m['attention_logit']:.2f} | {top(b['attention']):.2f} |",
              f"| spread of attention logits in a row | {m['attention_spread']:.2f} | {2 * top(b['attention']):.2f} |",
              f"| \\|entry of a value vector\\| | {m['value']:.2f} | {top(b['value']):.2f} |",
              f"| smallest variance into a LayerNorm | {m['layernorm_variance_min']:.4f} | "
              f"{b['embedding_variance_min']:.4f} (first LayerNorm) |",
              f"| largest variance into a LayerNorm | {m['layernorm_variance_max']:.2f} | |",
              f"| \\|output logit\\| | {m['output']:.2f} | |"]
    return "\n".join(lines)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    ap.add_argument("--models", type=Path, default=ROOT / "models")
    ap.add_argument("--only", choices=["capitals-bert", "sst2-bert"])
    ap.add_argument("--dry", action="store_true", help="print only, write nothing")
    args = ap.parse_args()
    seed_everything(1, 2)
    for name, measure in (("capitals-bert", evaluate_fill_mask), ("sst2-bert", evaluate_sentiment)):
        folder = args.models / name
        if args.only not in (None, name) or not (folder / "model.safetensors").exists():
            continue
        model, quality, ids, more = measure(folder, args.data)
        result = {"quality": quality, "texts": len(ids), "measured": measured_ranges(model, ids),
                  "rigorous": rigorous_bounds(model)}
        print(name + "\n" + table(result))
        for miss in more.get("misses", []):
            print("  miss:", *miss)
        if args.dry:
            continue
        (folder / "evaluation.json").write_text(json.dumps(result, indent=1) + "\n")
        card = folder / "README.md"
        if card.exists():
            head, rest = card.read_text(encoding="utf8").split("<!-- evaluation -->")
            tail = rest.split("<!-- end of evaluation -->")[1]
            card.write_text(f"{head}<!-- evaluation -->\n{table(result)}\n<!-- end of evaluation -->{tail}",
                            encoding="utf8")


if __name__ == "__main__":
    main()
