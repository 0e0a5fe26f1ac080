# SPDX-License-Identifier: Apache-2.0
"""Byte-level BPE tokenizers as RoBERTa and GPT-2 have them, learnt on our own texts."""
import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

ROBERTA_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
END = "<|endoftext|>"


def build(texts, size, family):
    """`family` is 'roberta' (pieces start with <s> <pad> </s> <unk> <mask>) or 'gpt2' (one special piece)."""
    specials = ROBERTA_SPECIALS if family == "roberta" else [END]
    tok = Tokenizer(models.BPE())
    # RoBERTa's token classifiers read the first word like any other: with a space before it
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=family == "roberta")
    tok.decoder = decoders.ByteLevel()
    tok.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=specials, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    if family == "roberta":
        tok.post_processor = processors.RobertaProcessing(
            ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=True)
    else:
        tok.post_processor = processors.ByteLevel(trim_offsets=False)
    return tok


def save(tok, folder, family, max_length):
    folder.mkdir(parents=True, exist_ok=True)
    tok.save(str(folder / "tokenizer.json"))
    model = json.loads(tok.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(model["vocab"], ensure_ascii=False), encoding="utf8")
    pairs = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(p + "\n" for p in pairs), encoding="utf8")
    config = {"model_max_length": max_length}
    if family == "roberta":
        config |= {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": True, "bos_token": "<s>",
                   "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>",
                   "pad_token": "<pad>", "mask_token": "<mask>", "trim_offsets": True}
    else:
        config |= {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False, "bos_token": END,
                   "eos_token": END, "unk_token": END}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
