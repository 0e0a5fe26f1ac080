# SPDX-License-Identifier: Apache-2.0
"""Writes test/vectors/checkpoints/ and architectures.json: tiny random models of every architecture and head, and what PyTorch says of them.

Nothing is downloaded and nothing is trained. Weights are far larger than a fresh model's, so that attention, activations and LayerNorm are
far from linear, and every bias and LayerNorm vector is random, so that none can be forgotten unnoticed.
"""
import argparse
import json
import shutil
from pathlib import Path

import torch
import transformers as hf
from transformers.utils import logging

from common import ROOT, seed_everything

logging.set_verbosity_error()

VOCAB, HIDDEN, INNER, LAYERS, HEADS, POSITIONS, LABELS = 40, 16, 24, 2, 2, 12, 3
INPUTS = [[2, 7, 31, 12, 39, 5, 20, 3], [2, 9, 3], [2, 8, 8, 17, 0, 25, 33, 6, 14, 30, 11, 3]]
TYPES = [[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0], [0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1]]

BERT = dict(vocab_size=VOCAB, hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=INNER,
            max_position_embeddings=POSITIONS, type_vocab_size=2)
# Its position table begins with rows that no text uses: up to the padding token's own.
ROBERTA = dict(BERT, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2, max_position_embeddings=POSITIONS + 2)
DISTILBERT = dict(vocab_size=VOCAB, dim=HIDDEN, n_layers=LAYERS, n_heads=HEADS, hidden_dim=INNER, max_position_embeddings=POSITIONS)
GPT2 = dict(vocab_size=VOCAB, n_embd=HIDDEN, n_layer=LAYERS, n_head=HEADS, n_positions=POSITIONS, bos_token_id=0, eos_token_id=0)

F32, F16, BF16 = torch.float32, torch.float16, torch.bfloat16

# name, class, config class, sizes and options, dtype of the file, options of the class, largest shard
MODELS = [
    ("bert-masked-lm", hf.BertForMaskedLM, hf.BertConfig, BERT, F32, {}, None),
    ("bert-masked-lm-untied", hf.BertForMaskedLM, hf.BertConfig, dict(BERT, tie_word_embeddings=False, layer_norm_eps=1e-5), F16, {}, "6KB"),
    ("bert-masked-lm-relu", hf.BertForMaskedLM, hf.BertConfig, dict(BERT, hidden_act="relu"), F16, {}, None),
    ("bert-sequence-classification", hf.BertForSequenceClassification, hf.BertConfig, dict(BERT, num_labels=LABELS), F32, {}, None),
    ("bert-sequence-classification-gelu-new", hf.BertForSequenceClassification, hf.BertConfig, dict(BERT, hidden_act="gelu_new"), BF16, {}, None),
    ("bert-token-classification", hf.BertForTokenClassification, hf.BertConfig, dict(BERT, num_labels=5), BF16, {}, None),
    ("bert-question-answering", hf.BertForQuestionAnswering, hf.BertConfig, BERT, F16, {}, None),
    ("bert-model", hf.BertModel, hf.BertConfig, BERT, F16, {}, None),
    ("bert-model-without-pooler", hf.BertModel, hf.BertConfig, BERT, BF16, {"add_pooling_layer": False}, None),
    ("roberta-masked-lm", hf.RobertaForMaskedLM, hf.RobertaConfig, ROBERTA, F32, {}, None),
    ("roberta-masked-lm-relu-untied", hf.RobertaForMaskedLM, hf.RobertaConfig, dict(ROBERTA, hidden_act="relu", tie_word_embeddings=False), F16, {}, None),
    ("roberta-sequence-classification", hf.RobertaForSequenceClassification, hf.RobertaConfig, dict(ROBERTA, num_labels=LABELS), BF16, {}, "6KB"),
    ("roberta-token-classification", hf.RobertaForTokenClassification, hf.RobertaConfig, dict(ROBERTA, num_labels=5), F16, {}, None),
    ("roberta-question-answering", hf.RobertaForQuestionAnswering, hf.RobertaConfig, ROBERTA, F16, {}, None),
    ("roberta-model", hf.RobertaModel, hf.RobertaConfig, ROBERTA, F16, {}, None),
    ("roberta-model-padding-4", hf.RobertaModel, hf.RobertaConfig, dict(ROBERTA, pad_token_id=4, max_position_embeddings=POSITIONS + 5), F16, {}, None),
    ("distilbert-masked-lm", hf.DistilBertForMaskedLM, hf.DistilBertConfig, DISTILBERT, F32, {}, None),
    ("distilbert-masked-lm-untied", hf.DistilBertForMaskedLM, hf.DistilBertConfig, dict(DISTILBERT, tie_word_embeddings=False), F16, {}, None),
    ("distilbert-sequence-classification", hf.DistilBertForSequenceClassification, hf.DistilBertConfig, dict(DISTILBERT, num_labels=LABELS), F16, {}, None),
    ("distilbert-token-classification-relu", hf.DistilBertForTokenClassification, hf.DistilBertConfig,
     dict(DISTILBERT, num_labels=5, activation="relu"), BF16, {}, None),
    ("distilbert-question-answering-sinusoidal", hf.DistilBertForQuestionAnswering, hf.DistilBertConfig, dict(DISTILBERT, sinusoidal_pos_embds=True), F16, {}, None),
    ("distilbert-model", hf.DistilBertModel, hf.DistilBertConfig, DISTILBERT, F16, {}, None),
    ("gpt2-lm", hf.GPT2LMHeadModel, hf.GPT2Config, GPT2, F32, {}, None),
    ("gpt2-lm-untied", hf.GPT2LMHeadModel, hf.GPT2Config, dict(GPT2, tie_word_embeddings=False, n_inner=INNER), F16, {}, "6KB"),
    ("gpt2-lm-gelu", hf.GPT2LMHeadModel, hf.GPT2Config, dict(GPT2, activation_function="gelu", n_inner=INNER), BF16, {}, None),
    ("gpt2-model", hf.GPT2Model, hf.GPT2Config, dict(GPT2, activation_function="relu", n_inner=INNER), F16, {}, None),
]


@torch.no_grad()
def randomise(model, dtype):
    """Random weights of a useful size, exact in `dtype`."""
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:
            is_norm = any(part in name.lower() for part in ("layernorm", "layer_norm", "ln_")) and name.endswith("weight")
            parameter.normal_(1.0 if is_norm else 0.0, 0.3)
        else:
            # Embeddings of unit size; matrices that keep the size of what they multiply.
            parameter.normal_(0.0, 1.0 if "embedding" in name or "wte" in name or "wpe" in name else parameter.shape[-1] ** -0.5 * 1.5)
    model.tie_weights()
    for parameter in model.parameters():
        parameter.copy_(parameter.to(dtype).float())
    return model.eval()


@torch.no_grad()
def answers(model, config):
    """Every case's result, and of the first one the first and last row of each hidden state."""
    cases, hidden = [], None
    for ids, types in zip(INPUTS, TYPES):
        ids = [36 if i == config.pad_token_id else i for i in ids]  # RoBERTa would count no position for its padding token
        inputs = {"input_ids": torch.tensor([ids])}
        case = {"ids": ids}
        if getattr(config, "type_vocab_size", 1) > 1:
            inputs["token_type_ids"] = torch.tensor([types])
            case["typeIds"] = types
        out = model(**inputs, output_hidden_states=True)
        if "start_logits" in out:
            result = torch.stack([out.start_logits[0], out.end_logits[0]], dim=-1)
        else:
            result = out.logits[0] if "logits" in out else out.last_hidden_state[0]
        if hidden is None:
            hidden = [{"first": flat(h[0, 0]), "last": flat(h[0, -1])} for h in out.hidden_states]
        cases.append(dict(case, shape=list(result.shape), result=flat(result)))
    return cases, hidden


def flat(tensor):
    return [round(x, 6) for x in tensor.flatten().tolist()]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", type=Path, default=ROOT / "test" / "vectors")
    args = ap.parse_args()
    torch.use_deterministic_algorithms(True)
    shutil.rmtree(args.out / "checkpoints", ignore_errors=True)
    records = []
    for seed, (name, cls, config_cls, sizes, dtype, options, shard) in enumerate(MODELS):
        seed_everything(seed, 1)
        config = config_cls(**sizes)
        model = randomise(cls(config, **options), dtype)
        cases, hidden = answers(model, config)
        folder = args.out / "checkpoints" / name
        folder.mkdir(parents=True)
        model.to(dtype).save_pretrained(folder, **({} if shard is None else {"max_shard_size": shard}))
        (folder / "generation_config.json").unlink(missing_ok=True)
        records.append({"name": name, "hidden": hidden, "cases": cases})
    text = json.dumps(records, separators=(",", ":")) + "\n"
    (args.out / "architectures.json").write_text(text)
    total = sum(file.stat().st_size for file in (args.out / "checkpoints").rglob("*") if file.is_file())
    print(len(records), "models,", total, "bytes of checkpoints,", len(text), "bytes of answers; torch", torch.__version__, "transformers", hf.__version__)


if __name__ == "__main__":
    main()
