# SPDX-License-Identifier: Apache-2.0
"""PROTOCOL §6.9: gated sums of cosines on shares, every word and pad reduced to the ring that it needs."""
import math
import random
from collections import Counter
from itertools import product

import numpy as np

from functions import GELU_LEAST, GELU_RING, GELU_SUMS, gelu

TURN = 1 << 20
SCALE, K = 27, GELU_RING["wide"]  # of the sum, its ring
T, OUT = 13, 16  # scales of x and of the result
LIFT = SCALE - 14  # of x/2: its words need K − LIFT bits, and so does x
rnd = random.Random(6)


def fit(f, frequencies, inner, outer):
    """Least squares of an even function on [0, outer]: the constant, then an amplitude for every frequency."""
    x = np.linspace(0, outer, 260)
    w = np.where(x < inner, 1.0, 0.5) * (0.2 + np.exp(-x * x / 6))
    A = np.stack([np.cos(2 * np.pi * j * x / 128) for j in (0, *frequencies)], 1)
    ridge = 2e-5 * np.eye(A.shape[1])
    target = np.concatenate([f(x) * w, np.zeros(A.shape[1])])
    return np.linalg.lstsq(np.vstack([A * w[:, None], ridge]), target, rcond=None)[0]


FREQUENCIES, S1, S2 = (8, 25, 43, 63), 13, (14, 10, 8, 4)
AMPLITUDES = fit(lambda x: gelu(x) - x / 2, FREQUENCIES, 3.5, 4.5)


def trig(angle):
    """cos, sin of angle/2^20 turns, the angle reduced first: what wraps is a whole turn."""
    y = 2 * math.pi * (angle % TURN) / TURN
    return math.cos(y), math.sin(y)


def identity_sum(a, l):
    """x at scale 13 as words and (v, φ/2^v): 2^14·(a − l)."""
    return [a, -1], [(14, 1), (14, l)]


def gelu_sum(a, l):
    """x/2 + c0 + Σ c_k cos(ω_k x)."""
    D, phi = [a + round(AMPLITUDES[0] * 2**14), -1], [(LIFT, 1), (LIFT, l)]
    for j, c, s2 in zip(FREQUENCIES, AMPLITUDES[1:], S2):
        for at_a, at_l in zip(trig(j * a), trig(j * l)):
            D.append(round(c * at_a * 2**S1))
            phi.append((SCALE - S1 - s2, round(at_l * 2**s2)))
    return D, phi


def summed(tables, k, r0, B_of=lambda B: B):
    """§4.7 for several tables of two entries: [(D, phi, share of P1, share of P2)]. P2's y and the bits P1 sends."""
    y, B, bits = 0, -r0, 0
    for D, phi, alpha, choice in tables:
        for j in (0, 1):
            for word, (v, f) in zip(D, phi):
                ring = 1 << (k - v)
                pad = rnd.randrange(ring)
                e = ((alpha ^ j) * word + pad) % ring  # P1 → P2, k − v bits
                bits += k - v
                if j == choice:
                    y += (e * f) << v
                    B -= (pad * f) << v
    return (y + B_of(B % (1 << k))) % (1 << k), bits


def gated_gelu(x, ceiling):
    """
    GeLU of |x| ≤ 58 by two class bits whose edge lies anywhere in its unit. P0's word has its top 23 bits only. The
    result is widened at once from −¼ on, by Lemma 5.4.
    """
    drop, l = SCALE - OUT, rnd.randrange(1 << (K - LIFT))
    a = (round(x * 2**T) + l) % (1 << (K - LIFT))
    above = int(x >= rnd.uniform(3.5, 4.5))
    inside = int(not above and x >= -rnd.uniform(3.5, 4.5))
    tables = []
    for terms, bit in ((identity_sum, above), (gelu_sum, inside)):
        choice = rnd.randrange(2)
        tables.append((*terms(a, l), bit ^ choice, choice))
    rounding = (1 << drop) - 1 if ceiling else 1 << (drop - 1)
    ring = 1 << (K - drop)
    r0 = rnd.randrange(ring)
    y, bits = summed(tables, K, r0 << drop, lambda B: (B + rounding) >> drop << drop)
    y = ((y >> drop) - GELU_LEAST) % ring
    value = y + r0 - ring * (2 * y >= ring or 2 * r0 >= ring) + GELU_LEAST
    return value / 2**OUT, bits, bool(above or inside)


def check_gelu():
    xs = [rnd.choice((rnd.uniform(-58, 58), rnd.uniform(-6, 6), rnd.gauss(-0.6, 1.3))) for _ in range(6000)]
    results = [gated_gelu(x, True) for x in xs]
    errors = np.array([value for value, _, _ in results]) - gelu(np.array(xs))
    assert np.abs(errors).max() < 1.2e-3 and errors.std() < 2e-4 and abs(errors.mean()) < 2e-5
    assert {bits for _, bits, _ in results} == {628}
    # Where both gates are closed every word is zero: exactly zero, which a word of P0 rounded to the nearest is not.
    assert all(value == 0 for value, _, within in results if not within)
    # Half of the result's ring is 64: beyond it some masks give another value.
    ends = {x: [abs(gated_gelu(x, True)[0] - x) for _ in range(100)] for x in (63.7, 100.0)}
    assert max(ends[63.7]) < 1e-3 and max(ends[100.0]) > 1
    assert any(value != 0 for value, _, within in (gated_gelu(-20.0, False) for _ in range(50)) if not within)


def check_amplitudes():
    """The integers that parties agree on are this fit."""
    _, _, constant, terms = GELU_SUMS["gelu"]
    assert tuple(j for j, *_ in terms) == FREQUENCIES and tuple(s2 for *_, s2 in terms) == S2
    assert constant == round(AMPLITUDES[0] * 2**14)
    assert np.abs(np.array([amplitude for _, amplitude, *_ in terms]) - AMPLITUDES[1:]).max() < 2**-22


def check_wrap():
    """The identity holds for every mask: a − l wraps by whole turns."""
    for _ in range(2000):
        l, x = rnd.randrange(TURN), rnd.randrange(-(1 << 19), 1 << 19)
        a, j = (x + l) % TURN, rnd.choice(FREQUENCIES)
        (ca, sa), (cl, sl) = trig(j * a), trig(j * l)
        assert abs(ca * cl + sa * sl - trig(j * x)[0]) < 1e-9
        assert abs(sa * cl - ca * sl - trig(j * x)[1]) < 1e-9


def view(x, gate, l, choice, widths):
    """(e, B) of P2 over every pad and r0: k = 3, words 0 and 1 with φ = l and 2·(l & 1), pads of the given rings."""
    k, a = 3, (x + l) % 8
    phi = (l, 2 * (l & 1))
    seen = Counter()
    for pads in product(*(range(1 << w) for w in widths), repeat=2):
        e = []
        for j in (0, 1):
            for p, word in enumerate((a, 3 * a + 1)):
                ring = 1 << (k - (0, 1)[p])
                e.append(((gate ^ choice ^ j) * word + pads[2 * j + p]) % ring)
        E = sum(pads[2 * choice + p] * phi[p] for p in (0, 1))
        for r0 in range(8):
            seen[(*e, (-E - r0) % 8)] += 1
    return seen


def check_views():
    """Lemma 11.2 with words of their own rings: nothing of x and of the gate; a pad narrower than its word tells both."""
    for l, choice in ((3, 0), (5, 1), (6, 1)):
        right = [view(x, gate, l, choice, (3, 2)) for x in (0, 2, 5) for gate in (0, 1)]
        assert all(v == right[0] for v in right)
        narrow = [view(x, gate, l, choice, (2, 2)) for x in (0, 5) for gate in (0, 1)]
        assert any(v != narrow[0] for v in narrow)


def main():
    check_amplitudes()
    check_wrap()
    check_views()
    check_gelu()
    print("cosines: 628 bits a GeLU, errors below the declared ones, views independent of the secret and of the gate")


if __name__ == "__main__":
    main()
