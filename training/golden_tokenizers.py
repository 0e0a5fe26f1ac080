# SPDX-License-Identifier: Apache-2.0
"""Writes test/vectors/tokenizer-{gpt2,roberta,bert}.json: what the Python tokenizers make of some hundred texts.

Each file also holds the published tokenizer cut down to what these texts use, so that the tests need no download. Cutting changes nothing for
them: byte-pair merges that are never applied and word pieces that are never tried cannot matter, and this script checks that the tokens and
offsets of the cut tokenizer are those of the whole one. Ids are renumbered.
"""
import argparse
import json
import random
from pathlib import Path

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

ROOT = Path(__file__).resolve().parent.parent

TEXTS = [
    " ", "  ", "\n", "a", "Hello, world!", "The capital of France is Paris.", "  leading, inner   and trailing spaces  ",
    "tabs\tand\nnewlines\r\nand\n\n\nmore \n mixed \t ones", "no-break\u00a0space em\u2003space ideographic\u3000space",
    "It's the U.S. economy, isn't it? I'm sure they'll say we've won; he'd know you're right. DON'T SHOUT'S",
    "'quoted' \"twice\" #tag @user 50% $3.99 a_b c*d e=f~g`h^i|j<k> [x] {y} (z)",
    "caf\u00e9 na\u00efve \u00c5ngstr\u00f6m S\u00e3o Tom\u00e9 D\u00fcsseldorf", "cafe\u0301 nai\u0308ve A\u030angstro\u0308m \u0301alone",
    "x" * 150, "ab" * 60 + " " + "z" * 101, "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "\u200bzero\u200dwidth \ufeffbom\ufeff \ufeff \u00adsoft \u2060joiner", "line\u2028sep para\u2029sep",
    # U+0085 is white space and U+FEFF is none, unlike in JavaScript's \s.
    " \n\n\ufeffx", "\ufeff's\u3000\u00bf", " \ufeff\u00bf", " \u0085\u00bf", "1\u0085 \ufeff\u0085",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e", "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060c 123 \u0664\u0665",
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u05e2\u05d5\u05dc\u05dd", "\u202eoverride\u202c and \u200fmarks\u200e",
    "\u6cd5\u56fd\u7684\u9996\u90fd\u662f\u5df4\u9ece\u3002", "\u65e5\u672c\u306e\u9996\u90fd\u306f\u6771\u4eac\u3067\u3059\u3002\uff76\uff80\uff76\uff85 \u304c\u304e\u3050",
    "\ub300\ud55c\ubbfc\uad6d\uc758 \uc218\ub3c4\ub294 \uc11c\uc6b8\uc774\ub2e4", "\u0e01\u0e23\u0e38\u0e07\u0e40\u0e17\u0e1e",
    "I \u2764\ufe0f Paris \U0001f600\U0001f44d\U0001f3fd \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f3f3\ufe0f\u200d\U0001f308 \U0001f1eb\U0001f1f7!",
    "1234567890 3.14159 1,000,000 2024-02-29 12:30 1e-9 \u00bd \u00b2 \u2163", "\ufb01ne \ufb02ag \uff26\uff35\uff2c\uff2c \u1e9e \u00df \u0130stanbul \u0131I \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2 \u0391\u03a3",
    "dash \u2013 em \u2014 minus \u2212 bullet \u2022 ellipsis \u2026 \u201ca\u201d \u2018b\u2019 \u00abc\u00bb \u00bfd? \u00a7 \u00a9 \u2122 \u20ac \u00a3 \u00a5",
    "\U0001d518\U0001d52b\U0001d526 \U0001d55e\U0001d552 \U00020000\U00020001a \U00010400", "UPPER lower MiXeD cAsE", "a\u0300\u0301\u0327 e\u0302 \u1ec7 \u0439",
    "def f(x):\n    return {'a': x[0] + 1}  # comment\n\n\nclass A(B):\n\tpass", "if (a && b || !c) { return a->b[i]++; }", "<div class=\"x\">&nbsp;</div>",
    "SELECT * FROM t WHERE id = 42;", "https://example.org/a/b?c=d&e=f#g", "user@example.org", "C:\\path\\to\\file.txt",
    "\u00c0 la recherche du temps perdu, \u00e0 c\u00f4t\u00e9", "Stra\u00dfe \u00dcbergr\u00f6\u00dfe", "\u041c\u043e\u0441\u043a\u0432\u0430 \u2014 \u0441\u0442\u043e\u043b\u0438\u0446\u0430 \u0420\u043e\u0441\u0441\u0438\u0438",
    "\u0395\u03bb\u03bb\u03ac\u03b4\u03b1", "Vi\u1ec7t Nam", "\u0130\u0130 i\u0307", "\u1fbc\u1f80 \u01c5 \u0149", "\uf900\u4e00\u3400",
    # Control tokens that a user typed are plain text.
    "<|endoftext|>", "a<|endoftext|>b <|endoftext|> c", "<s> </s> <pad> <unk> <mask>", "x</s></s>y<s>", "[CLS] a [SEP] b [MASK] [PAD] [UNK]", "[mask] [MASK][MASK]",
]

MASKED = ["The capital of France is {}.", "{} is the capital of Japan.", "a  {}  b", "a\u00a0{}b", "{}{} c", "{}", " {} ", "x{}y {}, {}z", "caf\u00e9 {} \U0001f600 {}!", "line\n{}\nend"]

PAIRS = [
    ("Where is Paris?", "Paris is the capital of France."), ("", "only the second"), ("only the first", ""), (" spaced ", "  twice "),
    ("caf\u00e9 \U0001f600?", "na\u00efve \u6771\u4eac\n\U0001d518 end"), ("</s> [SEP] <s>", "[MASK] <mask> [CLS]"), ("Who's that?", "That's Ada Lovelace, born 1815-12-10."),
]

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "ETAOINSHRDLU etaoin", "0123456789 .,", " \t\n", "\u00e0\u00e9\u00ee\u00f5\u00fc\u00c0\u00c9\u00df", "\u0300\u0301\u0308\u0327ae",
    "\u4e2d\u6587\u65e5\u672c\u8a9e", "\U00020000\U0002a700\U0002b920", "\U0001f600\U0001f44d\U0001f3fd\u200d\ufe0f", "\u0627\u0644\u0639\u0631\u0628", "\u0430\u0431\u0432\u0413\u0414",
    "'s 't 're 've 'll 'd", "!?.,;:()[]{}<>", "\u200b\ufeff\u00ad", "\u00a0\u2003\u3000", "\u0915\u093e\u094d\u0937", "\uac00\ub098\u1100\u1161", "\u2028\u2029\u20ac\u221e",
]
WORDS = "the of and people Internet government London quickly unbelievable Washington re-election transformers e-mail co-operate I'll can't 3rd 2nd iPhone GPT-2 km/h naive".split()


def texts(seed=20):
    """The texts above, and random ones of words and characters of all scripts."""
    rng, out = random.Random(seed), list(TEXTS)
    for _ in range(90):
        out.append("".join(rng.choice(WORDS) + rng.choice([" ", " ", " ", ", ", "  ", "\n", ". "]) for _ in range(rng.randint(1, 10))))
    for _ in range(160):
        out.append("".join("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 4))) for alphabet in rng.choices(ALPHABETS, k=rng.randint(1, 8))))
    return out


def utf16(text):
    """Code point offset -> UTF-16 offset."""
    at = [0]
    for c in text:
        at.append(at[-1] + (2 if ord(c) > 0xFFFF else 1))
    return at


def spans(texts_of, e):
    """Flat [start, end, ...] in UTF-16 units of each token's text; -1 for the frame. A mask's span leaves out the white space that it swallowed."""
    out, maps = [], [utf16(t) for t in texts_of]
    for (a, b), sequence in zip(e.offsets, e.sequence_ids):
        out += [-1, -1] if sequence is None else [maps[sequence][a], maps[sequence][b]]
    return out


def byte_level(vocab, merges, family, control, mask=False):
    """`control`: the tokens of the family. They are recognised in no text, but the mask where `mask` says so."""
    t = Tokenizer(models.BPE(vocab, merges, continuing_subword_prefix="", end_of_word_suffix=""))
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    if family == "roberta":
        t.post_processor = processors.RobertaProcessing(("</s>", vocab["</s>"]), ("<s>", vocab["<s>"]), trim_offsets=True, add_prefix_space=False)
    else:
        t.post_processor = processors.ByteLevel(trim_offsets=True, add_prefix_space=False)
    t.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False)] if mask else [AddedToken(c, normalized=False) for c in control])
    t.encode_special_tokens = not mask
    return t


def applied_merges(tokenizer, merges, all_texts):
    """The merges that encoding applies, in their order, and the pieces that they make."""
    rank, used = {pair: i for i, pair in enumerate(merges)}, set()
    for text in all_texts:
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text):
            parts = list(word)
            while len(parts) > 1:
                best = min(zip(parts, parts[1:]), key=lambda pair: rank.get(pair, 1 << 30))
                if best not in rank:
                    break
                used.add(best)
                at, merged = 0, []
                while at < len(parts):
                    both = tuple(parts[at:at + 2]) == best
                    merged.append("".join(parts[at:at + 2]) if both else parts[at])
                    at += 2 if both else 1
                parts = merged
    return [pair for pair in merges if pair in used]


def tried_pieces(tokenizer, vocab, all_texts):
    """The word pieces that greedy matching takes, also in words that it then gives up."""
    used = set()
    for text in all_texts:
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(tokenizer.normalizer.normalize_str(text)):
            start = 0
            while start < len(word) <= 100:
                ends = [end for end in range(len(word), start, -1) if ("##" if start else "") + word[start:end] in vocab]
                if not ends:
                    break
                used.add(("##" if start else "") + word[start:ends[0]])
                start = ends[0]
    return used


def record(cut, whole, text, pair=None):
    given = (text,) if pair is None else (text, pair)
    e, w = cut.encode(*given), whole.encode(*given)
    assert [t.strip() for t in e.tokens] == [t.strip() for t in w.tokens] and e.offsets == w.offsets and e.type_ids == w.type_ids, text
    out = {"text": text} if pair is None else {"pair": list(given), "typeIds": e.type_ids}
    return {**out, "ids": e.ids, "spans": spans(given, e)}


def cases(make, cut_parts, whole_parts, mask_token, with_pairs):
    cut, whole = make(*cut_parts), make(*whole_parts)
    out = {"texts": [record(cut, whole, text) for text in texts()]}
    if mask_token:
        cut, whole = make(*cut_parts, mask=True), make(*whole_parts, mask=True)
        out["masked"] = [record(cut, whole, text.replace("{}", mask_token)) for text in MASKED]
    if with_pairs:
        cut, whole = make(*cut_parts), make(*whole_parts)
        out["pairs"] = [record(cut, whole, a, b) for a, b in PAIRS]
    return out


def everything(mask_token):
    return texts() + [part for text in MASKED for part in text.replace("{}", "\0").split("\0")] + [t for pair in PAIRS for t in pair] + [mask_token or ""]


def byte_level_vectors(folder, family, control, mask_token):
    vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    merges = [tuple(line.split(" ")) for line in (folder / "merges.txt").read_text(encoding="utf-8").split("\n") if line and not line.startswith("#version")]
    make = lambda v, m, mask=False: byte_level(v, m, family, control, mask)
    kept = applied_merges(make(vocab, merges), merges, everything(mask_token))
    # Every byte stays, so that any text can be encoded.
    pieces = [p for p in vocab if p in control or len(p) == 1 or p in {a + b for a, b in kept}]
    small = {p: i for i, p in enumerate(sorted(pieces, key=vocab.get))}
    return {"vocab": small, "merges": [" ".join(pair) for pair in kept], **cases(make, (small, kept), (vocab, merges), mask_token, family == "roberta")}


def bert_vectors(folder):
    source = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    source.update(padding=None, truncation=None)
    control = [token["content"] for token in source["added_tokens"]]

    def make(vocab, mask=False):
        added = [{**token, "id": vocab[token["content"]]} for token in source["added_tokens"] if not mask or token["content"] == "[MASK]"]
        template = {**source["post_processor"], "special_tokens": {c: {"id": c, "ids": [vocab[c]], "tokens": [c]} for c in ("[CLS]", "[SEP]")}}
        json_text = json.dumps({**source, "added_tokens": added, "post_processor": template, "model": {**source["model"], "vocab": vocab}})
        t = Tokenizer.from_str(json_text)
        t.encode_special_tokens = not mask
        return t

    whole = source["model"]["vocab"]
    used = tried_pieces(make(whole), whole, everything("[MASK]"))
    small = {p: i for i, p in enumerate(p for p in whole if p in used or p in control)}
    return {"vocab": small, **cases(make, (small,), (whole,), "[MASK]", True)}


def dump(path, value):
    """Compact JSON: nobody reads it as a difference (.gitattributes)."""
    text = json.dumps(value, separators=(",", ":")) + "\n"
    path.write_text(text)
    print(path.name, len(text), "bytes", {key: len(v) for key, v in value.items() if key != "version"})


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--data", type=Path, default=Path("../shared/data/tokenizers"), help="folder with gpt2, roberta-base and bert-base-uncased")
    ap.add_argument("--out", type=Path, default=ROOT / "test" / "vectors")
    args = ap.parse_args()
    version = {"version": f"tokenizers {tokenizers.__version__}"}
    dump(args.out / "tokenizer-gpt2.json", {**version, **byte_level_vectors(args.data / "gpt2", "gpt2", ["<|endoftext|>"], None)})
    dump(args.out / "tokenizer-roberta.json",
         {**version, **byte_level_vectors(args.data / "roberta-base", "roberta", ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "<mask>")})
    dump(args.out / "tokenizer-bert.json", {**version, **bert_vectors(args.data / "bert-base-uncased")})


if __name__ == "__main__":
    main()
