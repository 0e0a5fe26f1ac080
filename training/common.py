# SPDX-License-Identifier: Apache-2.0
"""Shared helpers: seeds, tokenizers, saving in the Hugging Face layout, and number ranges.

The secure computation works on fixed-point numbers, so a model is only usable when every
intermediate value stays small. `range_penalty` keeps the weights there during training,
`rigorous_bounds` proves it for every possible input, `measured_ranges` shows real data.
"""
import json
import math
import os
import random
import re
import unicodedata
from collections import namedtuple
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, decoders, trainers
import transformers
from transformers import BertConfig

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ROOT = Path(__file__).resolve().parent.parent


def seed_everything(seed, threads):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)


# ---------------------------------------------------------------- text

def words_of(text):
    """The words BERT's normalizer and pre-tokenizer make of a text (lower case, no accents)."""
    text = unicodedata.normalize("NFD", text.lower())
    text = "".join(c for c in text if unicodedata.category(c) != "Mn")
    return re.findall(r"\w+|[^\w\s]", text)


def read_wikitext(data):
    """Paragraphs of WikiText-2 with its token artefacts undone; headings are dropped."""
    paragraphs = []
    for part in ("valid", "test"):
        for line in open(data / "text" / f"wikitext-2-{part}.txt", encoding="utf8"):
            line = line.strip()
            if len(line) < 40 or line.startswith("="):
                continue
            line = re.sub(r" @(.)@ ", r"\1", line).replace("<unk>", "[UNK]")
            paragraphs.append(line)
    return paragraphs


def read_shakespeare(data):
    text = open(data / "text" / "tinyshakespeare.txt", encoding="utf8").read()
    return [" ".join(block.split()) for block in text.split("\n\n") if block.strip()]


def read_sst2(data, part):
    rows = []
    for line in open(data / "text" / f"sst2-{part}.tsv", encoding="utf8"):
        text, label = line.rstrip("\n").rsplit("\t", 1)
        rows.append((text, int(label)))
    return rows


# ---------------------------------------------------------------- tokenizers

def pipeline(model):
    tok = Tokenizer(model)
    tok.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tok


def framed(vocab):
    """BERT's tokenizer on a vocabulary {piece: id}."""
    tok = pipeline(models.WordPiece(vocab, unk_token="[UNK]", max_input_chars_per_word=100))
    tok.add_special_tokens(SPECIALS)
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])])
    tok.decoder = decoders.WordPiece(prefix="##")
    return tok


def build_tokenizer(texts, size, required):
    """WordPiece with BERT's own normalizer and pre-tokenizer.

    Pieces are learnt from `texts`; the `required` words are then added whole, because
    WordPiece takes the longest match and so keeps them as one token each.
    """
    required = sorted(set(required))
    learner = pipeline(models.WordPiece(unk_token="[UNK]"))
    trainer = trainers.WordPieceTrainer(
        vocab_size=size - len(required) // 2, special_tokens=SPECIALS, limit_alphabet=120,
        initial_alphabet=list("abcdefghijklmnopqrstuvwxyz0123456789.,:;!?'\"()-"),
        continuing_subword_prefix="##", show_progress=False)
    learner.train_from_iterator((t.replace("[UNK]", " ") for t in texts), trainer)
    learnt = learner.get_vocab()
    order = sorted(learnt, key=learnt.get)
    order += [w for w in required if w not in learnt]
    return framed({w: i for i, w in enumerate(order)})


def save_tokenizer(tok, folder, tokenizer_class="BertTokenizer", max_length=128, pieces_alone=False):
    """pieces_alone: without tokenizer.json, which says the same in twice the bytes; a page loads what is there."""
    folder.mkdir(parents=True, exist_ok=True)
    if not pieces_alone:
        tok.save(str(folder / "tokenizer.json"))
    vocab = tok.get_vocab()
    (folder / "vocab.txt").write_text(
        "".join(w + "\n" for w in sorted(vocab, key=vocab.get)), encoding="utf8")
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": tokenizer_class, "do_lower_case": True, "do_basic_tokenize": True,
        "strip_accents": None, "tokenize_chinese_chars": True, "model_max_length": max_length,
        "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
        "pad_token": "[PAD]", "unk_token": "[UNK]",
        "clean_up_tokenization_spaces": True}, indent=2) + "\n")


def load_tokenizer(folder):
    file = Path(folder) / "tokenizer.json"
    if file.exists():
        return Tokenizer.from_file(str(file))
    pieces = (Path(folder) / "vocab.txt").read_text(encoding="utf8").splitlines()
    return framed({piece: i for i, piece in enumerate(pieces)})


# ---------------------------------------------------------------- models

def small_config(vocab_size, **more):
    return BertConfig(
        vocab_size=vocab_size, hidden_size=128, num_hidden_layers=4, num_attention_heads=2,
        intermediate_size=512, hidden_act="gelu", max_position_embeddings=128,
        type_vocab_size=2, layer_norm_eps=1e-12, pad_token_id=0, initializer_range=0.05, **more)


def save_model(model, folder):
    """Rounds to fp16 and writes config.json and model.safetensors as transformers does."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    model.half().save_pretrained(folder)
    model.float().load_state_dict(state)  # go on with the unrounded weights
    (folder / "model.safetensors").chmod(0o644)


def load_model(folder, cls=None):
    """The shipped files: fp16 weights, computed in fp32."""
    folder = Path(folder)
    arch = json.loads((folder / "config.json").read_text())["architectures"][0]
    cls = cls or getattr(transformers, arch)
    # eager attention: the plain formula, the one the secure program follows
    return cls.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def pad(rows, value=0):
    width = max(len(r) for r in rows)
    return torch.tensor([list(r) + [value] * (width - len(r)) for r in rows])


# ---------------------------------------------------------------- number ranges

Layer = namedtuple("Layer", "before query key value between inner")  # LayerNorms and linear maps of one layer


def _body(model):
    return model.base_model


def _layers(model):
    """The layers of an encoder, whatever its architecture calls their parts."""
    body = _body(model)
    before = body.embeddings.LayerNorm
    if model.config.model_type == "distilbert":
        for x in body.transformer.layer:
            a = x.attention
            yield Layer(before, a.q_lin, a.k_lin, a.v_lin, x.sa_layer_norm, x.ffn.lin1)
            before = x.output_layer_norm
    else:
        for x in body.encoder.layer:
            a = x.attention.self
            yield Layer(before, a.query, a.key, a.value, x.attention.output.LayerNorm, x.intermediate.dense)
            before = x.output.LayerNorm


def _bounds(model):
    """Differentiable bounds, per layer (GeLU) and per layer and head (attention, value).

    A LayerNorm output is gamma*z + beta with |z|_2 <= sqrt(hidden) whatever the input was.
    That alone bounds everything linear behind it.
    """
    gelu, attention, value = [], [], []
    h, heads = model.config.hidden_size, model.config.num_attention_heads
    dh, r = h // heads, math.sqrt(h)
    for layer in _layers(model):
        g, b = layer.before.weight, layer.before.bias
        for i in range(heads):
            rows = slice(i * dh, (i + 1) * dh)
            wq, wk = layer.query.weight[rows], layer.key.weight[rows]
            q0, k0 = wq @ b + layer.query.bias[rows], wk @ b + layer.key.bias[rows]
            wq, wk = wq * g, wk * g
            # q.k = z'Mz + z'u + z.v + c
            m = torch.linalg.matrix_norm(wq.T @ wk, 2)
            attention.append((h * m + r * (wq.T @ k0).norm() + r * (wk.T @ q0).norm()
                              + (q0 @ k0).abs()) / math.sqrt(dh))
        wv = layer.value.weight
        value.append((r * (wv * g).norm(dim=1) + (wv @ b + layer.value.bias).abs()).max())
        inner, ln = layer.inner, layer.between
        gelu.append((r * (inner.weight * ln.weight).norm(dim=1)
                     + (inner.weight @ ln.bias + inner.bias).abs()))
    return gelu, torch.stack(attention), torch.stack(value)


def range_penalty(model, gelu_limit=45.0, attention_limit=80.0, value_limit=45.0):
    """Zero inside the limits; grows linearly outside. Added to the loss every few steps."""
    gelu, attention, value = _bounds(model)
    return (torch.relu(torch.cat(gelu) / gelu_limit - 1).sum()
            + torch.relu(attention / attention_limit - 1).sum()
            + torch.relu(value / value_limit - 1).sum())


@torch.no_grad()
def rigorous_bounds(model):
    gelu, attention, value = _bounds(model.double())
    model.float()
    out = {"gelu": [x.max().item() for x in gelu],
           "attention": attention.tolist(), "value": value.tolist()}
    head = getattr(getattr(model, "cls", None), "predictions", None)
    if head is not None:  # the prediction head has a GeLU of its own
        ln, d = model.bert.encoder.layer[-1].output.LayerNorm, head.transform.dense
        r = math.sqrt(model.config.hidden_size)
        out["head_gelu"] = (r * (d.weight * ln.weight).norm(dim=1)
                            + (d.weight @ ln.bias + d.bias).abs()).max().item()
    # Smallest variance the first LayerNorm can see: every word at every position.
    e = _body(model).embeddings
    w, smallest = e.word_embeddings.weight, math.inf
    types = getattr(e, "token_type_embeddings", None)
    types = types.weight if types is not None else torch.zeros(1, w.shape[1])
    first = model.config.pad_token_id + 1 if model.config.model_type == "roberta" else 0
    for p in e.position_embeddings.weight[first:]:
        for t in types:
            smallest = min(smallest, (w + p + t).var(dim=1, unbiased=False).min().item())
    out["embedding_variance_min"] = smallest
    return out


@torch.no_grad()
def measured_ranges(model, rows, batch=64):
    """The largest values met while the model reads `rows` (lists of token ids)."""
    seen = {"gelu": 0.0, "attention_logit": 0.0, "attention_spread": 0.0, "value": 0.0,
            "layernorm_variance_min": math.inf, "layernorm_variance_max": 0.0, "output": 0.0}
    state, fill = {}, model.config.pad_token_id
    keep = lambda name, x: seen.__setitem__(name, max(seen[name], x.max().item()))

    def on_gelu(_m, _i, out):
        keep("gelu", out.abs()[state["mask"]])

    def on_layernorm(_m, inp, _o):
        x = inp[0] if inp[0].dim() == 2 else inp[0][state["mask"]]
        v = x.var(dim=-1, unbiased=False)
        keep("layernorm_variance_max", v)
        seen["layernorm_variance_min"] = min(seen["layernorm_variance_min"], v.min().item())

    def on_attention(layer):
        def hook(_m, inp, v):
            x = inp[0]
            n, t, h = x.shape
            heads = model.config.num_attention_heads
            split = lambda y: y.view(n, t, heads, h // heads).transpose(1, 2)
            q, k, v = split(layer.query(x)), split(layer.key(x)), split(v)
            logits = q @ k.transpose(2, 3) / math.sqrt(h // heads)
            real = state["mask"][:, None, None, :]
            high = logits.masked_fill(~real, -math.inf).amax(-1)
            low = logits.masked_fill(~real, math.inf).amin(-1)
            row = state["mask"][:, None, :].expand_as(high)
            keep("attention_logit", torch.maximum(high, -low)[row])
            keep("attention_spread", (high - low)[row])
            keep("value", v.abs().amax(-1)[row])
        return hook

    hooks = []
    for m in model.modules():
        if isinstance(m, torch.nn.LayerNorm):
            hooks.append(m.register_forward_hook(on_layernorm))
    for layer in _layers(model):
        hooks.append(layer.inner.register_forward_hook(on_gelu))
        hooks.append(layer.value.register_forward_hook(on_attention(layer)))
    if hasattr(model, "cls"):
        hooks.append(model.cls.predictions.transform.dense.register_forward_hook(on_gelu))
    model.eval()
    rows = sorted(rows, key=len)
    for i in range(0, len(rows), batch):
        ids = pad(rows[i:i + batch], fill)
        state["mask"] = ids != fill
        out = model(input_ids=ids, attention_mask=state["mask"].long())
        if "start_logits" in out:
            out = torch.stack([out.start_logits, out.end_logits], -1)
        else:
            out = out.logits
        keep("output", out.abs()[state["mask"]] if out.dim() == 3 else out.abs())
    for hook in hooks:
        hook.remove()
    return seen
