# SPDX-License-Identifier: Apache-2.0
"""Writes test/vectors/: what the Python libraries say, for the TypeScript tests to match.

Run it again whenever a model changes.
"""
import argparse
import json
from pathlib import Path

import torch
from transformers.utils import logging

from common import ROOT, load_model, load_tokenizer, seed_everything

logging.set_verbosity_error()

TEXTS = [
    "",
    " ",
    "The capital of France is [MASK].",
    "Hello, world!",
    "  leading, inner   and trailing spaces  ",
    "tabs\tand\nnewlines\r\nand\u00a0no-break\u2003em\u3000ideographic spaces",
    "It's the U.S. economy, isn't it? (Yes/No) -- 'quoted' \"twice\" #tag @user 50% $3.99 a_b c*d e=f~g`h^i|j<k>",
    "café naïve Ångström São Tomé Düsseldorf",  # composed
    "cafe\u0301 nai\u0308ve A\u030angstro\u0308m Sa\u0303o Tome\u0301",  # decomposed
    "[CLS] literal [SEP] and [MASK] and [PAD] and [UNK]",
    "[mask] [Mask] [MASK][MASK] [ MASK ] x[SEP]y",
    "x" * 150,
    "y" * 100 + " " + "z" * 101,
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "nul\x00inside and \x07bell \x1besc \x7fdel \u200bzero\u200dwidth \ufeffbom \ufffdreplacement \u00adsoft",
    "\x85next line\u2028line sep\u2029para sep",
    "नमस्ते दुनिया, भारत की राजधानी नई दिल्ली है।",
    "مرحبا بالعالم، عاصمة مصر هي القاهرة.",
    "שָׁלוֹם עולם",
    "\u202eright-to-left override\u202c and \u200fmarks\u200e",
    "法国的首都是巴黎。",
    "日本の首都は東京です。カタカナ ｶﾀｶﾅ がぎぐ",
    "대한민국의 수도는 서울이다",
    "กรุงเทพมหานครเป็นเมืองหลวง",
    "I ❤️ Paris 😀👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇫🇷!",
    "1234567890 3.14159 1,000,000 2024-02-29 12:30 1e-9 ½ ² Ⅳ ٣",
    "ﬁne ﬂag ＦＵＬＬ width ẞ ß İstanbul ıI ŒŒ Æsir Σίσυφος ΑΣ",
    "Za\u0310\u0301\u0327lgo\u0335\u0321\u0300 \u0301alone",
    "dash – em — minus − bullet • ellipsis … quotes “a” ‘b’ «c» ¿d? § ¶ © ™ € £ ¥ ₹",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝕞𝕒𝕥𝕙 𠀀 𐐀 \U0001f9ff",
    "Washington D.C., N'Djamena, Port-au-Prince, Nuku'alofa and St. George's are capitals.",
    "a stirring , funny and finally transporting re imagining of beauty and the beast",
    "they presume their audience wo n't sit still for a sociology lesson",
    "UPPER lower MiXeD cAsE",
    "a\u0300\u0301 e\u0302 \u00e9 \u1ec7 \u0439 \u0438\u0306",
]

FILL_MASK = [
    "The capital of France is [MASK].",
    "[MASK] is the capital of Japan.",
    "Paris is the capital of [MASK].",
    "The currency of Japan is the [MASK].",
    "The capital of Mexico is [MASK] [MASK].",
    "Brazil is a country in [MASK] America. People there speak [MASK].",
]
SENTIMENT = [
    "a stirring , funny and finally transporting re imagining of beauty and the beast",
    "the film is dull and far too long",
    "I loved every minute of it!",
    "not a good movie",
    "it 's hard to say , but the acting is fine and the story is weak",
    "ok",
]


def tokenizer_vectors(data, folder):
    sources = {"capitals-bert": folder / "capitals-bert", "sst2-bert": folder / "sst2-bert",
               "bert-base-uncased": data / "tokenizers" / "bert-base-uncased"}
    out = []
    for name, path in sources.items():
        tok = load_tokenizer(path)
        tok.no_padding()  # bert-base-uncased's file asks for padding to a fixed length
        tok.no_truncation()
        for text in TEXTS:
            e = tok.encode(text)
            out.append({"tokenizer": name, "text": text, "ids": e.ids, "tokens": e.tokens})
    return out


@torch.no_grad()
def hidden_states(model, ids):
    """After the embeddings and after each layer: first 8 values of the first and last token."""
    out = model(input_ids=torch.tensor([ids]), output_hidden_states=True)
    cut = lambda h: [round(x, 6) for x in h[:8].tolist()]
    return [{"first": cut(h[0, 0]), "last": cut(h[0, -1])} for h in out.hidden_states]


@torch.no_grad()
def logit_vectors(folder):
    out = {}
    for name, texts in (("capitals-bert", FILL_MASK), ("sst2-bert", SENTIMENT)):
        model, tok = load_model(folder / name), load_tokenizer(folder / name)
        mask, cases = tok.token_to_id("[MASK]"), []
        for text in texts:
            ids = tok.encode(text).ids
            logits = model(input_ids=torch.tensor([ids])).logits[0]
            case = {"text": text, "ids": ids}
            if name == "capitals-bert":
                case["masks"] = [
                    {"position": i, "token": tok.id_to_token(int(logits[i].argmax())),
                     "logits": [round(x, 6) for x in logits[i].tolist()]}
                    for i, t in enumerate(ids) if t == mask]
            else:
                case["logits"] = [round(x, 6) for x in logits.tolist()]
            cases.append(case)
        out[name] = {"cases": cases, "hidden": {"text": texts[0], "ids": cases[0]["ids"],
                                                "states": hidden_states(model, cases[0]["ids"])}}
    return out


def dump(path, value):
    """Compact JSON: nobody reads these numbers, and .gitattributes keeps them out of differences."""
    text = json.dumps(value, separators=(",", ":")) + "\n"
    path.write_text(text)
    print(path.name, len(text), "bytes")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data"))
    ap.add_argument("--models", type=Path, default=ROOT / "models")
    ap.add_argument("--out", type=Path, default=ROOT / "test" / "vectors")
    args = ap.parse_args()
    seed_everything(1, 1)
    args.out.mkdir(parents=True, exist_ok=True)
    dump(args.out / "tokenizer.json", tokenizer_vectors(args.data, args.models))
    dump(args.out / "logits.json", logit_vectors(args.models))


if __name__ == "__main__":
    main()
