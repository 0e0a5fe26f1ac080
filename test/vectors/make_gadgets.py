# SPDX-License-Identifier: Apache-2.0
"""Writes test/vectors/gadgets.json: what docs/checks/gadgets.py computes, for test/mpc/vectors.test.ts to match.

    python3 test/vectors/make_gadgets.py

Needs numpy (docs/checks/README.md). The tests need no Python.
"""
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs" / "checks"))
import gadgets
from functions import gelu as gelu_of
from gadgets import Shared, U, cubic, cubic_basis, exp_basis, fit_cubic, mask, periodic_cubic, residues, to_ring


def scatter(count, bits, start):
    """Reproducible integers below 2^bits, edges first."""
    edges = [0, 1, 2, 3, 4, 5, (1 << bits) - 1, (1 << bits) - 2, 1 << (bits - 1), (1 << (bits - 1)) - 1]
    state, out = start, edges[: min(count, len(edges))]
    while len(out) < count:
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append((state >> 7) & ((1 << bits) - 1))
    return out


def words(values):
    # No np.asarray of a list: integers above 2^63 would become floats.
    return [str(int(v)) for v in (values if isinstance(values, list) else values.ravel())]


def powers():
    cases = []
    for t, s2 in ((12, 11), (12, 12), (12, 13), (14, 14)):
        low = scatter(60, t, t * 100 + s2)
        cases.append({"t": t, "s2": s2, "l": low, "phi": words(cubic_basis(np.array(low, dtype=U), t, s2))})
    return cases


def exponentials():
    low = scatter(200, 22, 5) + [4 * v for v in scatter(200, 20, 6)]
    return {"s2": 17, "l": low, "phi": words(exp_basis(np.array(low, dtype=U), 17))}


def exp_table():
    """D of the separable exponential: round(2^17 exp(start + a_lo)) for every segment."""
    a = scatter(40, 25, 9)
    rows = []
    for value in a:
        high, low = value >> 22, (value & ((1 << 22) - 1)) / 2**20
        row = []
        for j in range(8):
            i = (high - j) % 8
            row.append(int(np.rint(2.0**17 * np.exp((0.0 if i == 0 else 4.0 * i - 32) + low))))
        rows.append(row)
    return {"s1": 17, "a": a, "rows": rows}


def rounded(coefficients):
    """To 12 decimals: the last bits of a least-squares solver depend on the machine."""
    return [round(float(c), 12) + 0.0 for c in np.ravel(coefficients)]


def gelu():
    return {"segments": 32, "width": 0.5, "coefficients": rounded(periodic_cubic(gelu_of, 32, 0.5))}


def windows():
    """Cubics of 1/z and z^-1/2 over segments of unit width (functions.power_law), segments 3 to 127."""
    fits = []
    for name, f in (("reciprocal", lambda z: 1.0 / z), ("rsqrt", lambda z: 1.0 / np.sqrt(z))):
        rows = [fit_cubic(lambda z: f(np.maximum(z, 1.0)), float(i), 1.0) for i in range(3, 128)]
        fits.append({"name": name, "first": 3, "coefficients": rounded(rows)})
    return fits


def selected():
    """Whole cubic selections on given shares: D·φ without masks, as the gadget opens it."""
    coefficients = periodic_cubic(gelu_of, 32, 0.5)
    a, l = np.array(scatter(80, 17, 21), dtype=U), np.array(scatter(80, 17, 22)[::-1], dtype=U)
    x = Shared(a, l, 17)
    return {"t": 12, "s1": 12, "s2": 12, "a": words(a), "l": words(l), "out": words(residues(cubic(x, coefficients, 12, 12, 12, 32)))}


def tables():
    cases = []
    for bits, k in ((4, 8), (7, 1), (8, 64)):
        entries = scatter(1 << bits, k, bits) if k > 3 else [v & 1 for v in scatter(1 << bits, 8, bits)]
        a, l = np.array(scatter(40, bits, 31 + bits), dtype=U), np.array(scatter(40, bits, 32 + bits)[::-1], dtype=U)
        opened = residues(gadgets.table(Shared(a, l, bits), np.array(entries, dtype=np.uint64).astype(np.int64), k))
        cases.append({"bits": bits, "k": k, "entries": words(entries), "a": words(a), "l": words(l), "out": words(opened)})
    return cases


def widened():
    cases = []
    for k, k2 in ((8, 16), (25, 64), (48, 64)):
        edge = 1 << (k - 2)
        x = np.array([0, 1, -1, edge - 1, -edge] + [v - edge for v in scatter(60, k - 1, k)], dtype=np.int64)
        l = np.array(scatter(65, k, k + 1)[::-1], dtype=U)
        share = Shared(to_ring(x) + l, l, k)
        cases.append({"k": k, "k2": k2, "a": words(share.a & mask(k)), "l": words(share.l), "out": words(residues(gadgets.widen(share, k2)))})
    return cases


result = {
    "powers": powers(),
    "exponential": exponentials(),
    "expTable": exp_table(),
    "gelu": gelu(),
    "windows": windows(),
    "selected": selected(),
    "tables": tables(),
    "widened": widened(),
}
Path(__file__).with_name("gadgets.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
