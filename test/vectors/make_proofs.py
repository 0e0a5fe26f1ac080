# SPDX-License-Identifier: Apache-2.0
"""Writes test/vectors/proofs.json: the messages that docs/checks/malicious/proofs.py sends, for
test/mpc/proof/vectors.test.ts to match byte for byte.

    python3 test/vectors/make_proofs.py
"""
import json
import sys
from pathlib import Path

CHECKS = Path(__file__).resolve().parents[2] / "docs" / "checks"
sys.path.insert(0, str(CHECKS))
from malicious import proofs


def plain(value):
    """Integers as text: JSON's numbers end at 2^53."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 2**32 else value


out = Path(__file__).with_name("proofs.json")
out.write_text(json.dumps(plain(proofs.export_vectors()), separators=(",", ":")) + "\n")
print(out.name, out.stat().st_size, "bytes")
