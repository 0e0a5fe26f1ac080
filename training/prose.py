# SPDX-License-Identifier: Apache-2.0
"""English prose as people write it: the data files with their token artefacts undone."""
import json
import re


def detokenize(line):
    """WikiText's spaced tokens back to plain text; its <unk> is left out."""
    line = re.sub(r" ?@([-.,])@ ?", r"\1", line.strip())
    line = re.sub(r"\( (?:<unk> ?[;,]? ?)+", "( ", line)
    line = re.sub(r"\s*<unk>\s*", " ", line)
    line = re.sub(r'" ([^"]*?) "', r'"\1"', line)
    line = re.sub(r'\(\s*[,;]*\s*\)|"\s*"', "", line)
    line = re.sub(r"\s+([,.;:!?%)\]])", r"\1", line)
    line = re.sub(r"([(\[$£]) ", r"\1", line)
    line = re.sub(r" ('s|n't|'re|'ve|'d|'ll|'m)\b", r"\1", line)
    line = re.sub(r"(\w) '(?=[ ,.])", r"\1'", line)
    line = re.sub(r"([,;:])[,;:]+", r"\1", line)
    return " ".join(line.split()).strip()


def wikitext(data, part):
    """Paragraphs of plain text; headings are dropped."""
    out = []
    for line in open(data / "text" / f"wikitext-2-{part}.txt", encoding="utf8"):
        line = line.strip()
        if len(line) >= 40 and not line.startswith("="):
            out.append(detokenize(line))
    return out


def shakespeare(data):
    """(text to learn from, its last tenth): cut where a speech ends."""
    text = open(data / "text" / "tinyshakespeare.txt", encoding="utf8").read()
    cut = text.index("\n\n", int(len(text) * .9)) + 2
    return text[:cut], text[cut:]


def xquad(data):
    """(context, [(question, answer, start)]) of every paragraph."""
    out = []
    for article in json.loads((data / "text" / "xquad-en.json").read_text(encoding="utf8"))["data"]:
        for p in article["paragraphs"]:
            out.append((p["context"], [(q["question"].strip(), q["answers"][0]["text"],
                                        q["answers"][0]["answer_start"]) for q in p["qas"]]))
    return out
