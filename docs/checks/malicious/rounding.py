# SPDX-License-Identifier: Apache-2.0
"""
PROTOCOL §14.7: lemmas 14.1 to 14.3 over whole toy rings, and what the gadgets of §7 make of two coins: how far an index
is read high, and the errors of 1/z and of attention with every rounding drawn.
"""
import math
from itertools import product

import numpy as np

rng = np.random.default_rng(37)


def shares(x, k):
    """All (m, λ1, λ2) of x in Z_2^k."""
    for l1, l2 in product(range(1 << k), repeat=2):
        yield (x + l1 + l2) % (1 << k), l1, l2


def check_split_shift():
    """Lemma 14.1, and what is measured of a value and of its centred rounding."""
    k, s = 6, 3
    errors, counted = set(), set()
    for x in range(1 << k):
        for m, l1, l2 in shares(x, k):
            moved = (m - (1 << (s - 1))) % (1 << k)
            plain = ((m >> s) - (l1 >> s) - (l2 >> s)) % (1 << (k - s))
            assert plain == ((x + l1 % (1 << s) + l2 % (1 << s)) >> s) % (1 << (k - s))
            counted.add((plain - (x >> s)) % (1 << (k - s)))
            centred = ((moved >> s) - (l1 >> s) - (l2 >> s)) % (1 << (k - s))
            errors.add((centred - (x >> s) + 1) % (1 << (k - s)) - 1)
    assert counted == {0, 1, 2} and errors == {-1, 0, 1, 2}


def check_widening():
    """Lemma 14.2: exact for |x| ≤ 2^(k−2), and wrong for some masks past it."""
    k = 5
    off = 1 << (k - 2)

    def right(x):
        top = lambda word: word >> (k - 2)
        return all(
            ((m + off) % (1 << k)) - l1 - l2 - ((top((m + off) % (1 << k)) - top(l1) - top(l2)) // 4 << k) - off == x
            for m, l1, l2 in shares(x, k)
        )

    assert all(right(x) for x in range(-off, off + 1))
    assert not right(off + 2) and not right(-off - 2)


def check_short_words():
    """Lemma 14.3: one coin behind a short word, whatever the masks; each coin as often; and a zero stays zero."""
    k, d = 4, 2
    low = (1 << d) - 1
    for f in range(1 << k):
        # Selections: S of the pads, λ1' = −2^d·r0.
        up = 0
        for S, l2, r0 in product(range(1 << k), range(1 << k), range(1 << (k - d))):
            B = -((S + (l2 & low)) >> d) - r0
            l1 = (-r0 << d) % (1 << k)
            m = (f + S + (B << d) + l2) % (1 << k)
            got = ((m >> d) - (l1 >> d) - (l2 >> d)) % (1 << (k - d))
            up += (got - (f >> d)) % (1 << (k - d))
            assert got == ((f + ((S + l2) & low)) >> d) % (1 << (k - d))
        assert up == (f & low) << (2 * k + k - d - d)
        # Products: cross = Λx·Λy, Γ = Γ1 + Γ2.
        for cross, l1, l2 in product(range(1 << k), repeat=3):
            gamma = -((-(cross - (l1 & low) - (l2 & low))) >> d)
            m = (f + l1 + l2 - cross + (gamma << d)) % (1 << k)
            got = ((m >> d) - (l1 >> d) - (l2 >> d)) % (1 << (k - d))
            assert got == ((f + ((l1 + l2 - cross) & low)) >> d) % (1 << (k - d))


# ── with every rounding drawn ────────────────────────────────────────────────


def coin(x, s):
    return np.zeros(np.shape(x)) if s <= 0 else rng.integers(0, 1 << s, np.shape(x)).astype(float)


def counted(x, s):
    """Read with two coins and without their mean: 0, 1 or 2 above the floor."""
    return np.floor((x + coin(x, s) + coin(x, s)) / 2.0**s)


def centred(x, s):
    return np.floor((x - 2.0 ** (s - 1) + coin(x, s) + coin(x, s)) / 2.0**s)


def short(x, s, whole):
    """Behind a word of P0: short, one coin; or whole, two."""
    return centred(x, s) if whole else np.floor((x + coin(x, s)) / 2.0**s)


def measured(x, unit):
    """A unit of 2^unit from half units."""
    return np.floor(counted(x, unit - 1) / 2)


def segment_fit(f, i):
    """Degree 4 on (i − 1, i + 1); what is measured in the first segment lies there."""
    low, high = (0.0, 1.0) if i == 2 else (-1.0, 1.0)
    u = np.cos(np.pi * (np.arange(24) + 0.5) / 24)
    place = (low + high) / 2 + (high - low) / 2 * u
    return np.polynomial.Polynomial.fit(place, f(i + place), 4)


def law(z, top, sizes, growth):
    """z^(−growth/2) by windows of 16 units, z an integer, 2^top the widest unit: from the window that is taken."""
    f = lambda v: np.maximum(v, 1.0) ** (-growth / 2)
    fits = {i: segment_fit(f, i) for i in range(2, 16)}
    window, found = np.full(z.shape, sum(sizes) - 1), np.zeros(z.shape, bool)
    before = 0
    for g, size in enumerate(sizes):
        index = measured(z, top - 2 * (before + size - 1))
        for i in range(size):
            hit = index >= 3 * 4 ** (size - 1 - i)
            if i > 0:
                hit &= index < 3 * 4 ** (size - i)
            window = np.where(hit & ~found, before + i, window)
        found |= index >= 3
        before += size
    out = np.zeros(z.shape)
    for w in range(sum(sizes)):
        unit = top - 2 * w
        taken = window == w
        place = counted(z[taken], unit - 14) / 2.0**14 if unit > 14 else z[taken] / 2.0**unit
        segment = np.floor(place + rng.uniform(0, 1, place.shape))
        assert (place >= 2).all() and (place < 15).all(), "a window that is taken holds its argument"
        values = np.zeros(place.shape)
        for i in range(2, 16):
            at = segment == i
            values[at] = fits[i](place[at] - i)
        out[taken] = values * 2.0 ** (-unit * growth / 2)
    return out


# Windows by positions: log2 of the widest unit, and the windows of every group.
RECIPROCALS = {128: (4, (3, 3, 2)), 896: (6, (3, 3, 3)), 1024: (7, (3, 3, 2, 2))}
LEAST = math.exp(-6)


def check_laws():
    for T, (top, sizes) in RECIPROCALS.items():
        assert LEAST * 0.999 >= 2 * 2.0 ** (top - 2 * (sum(sizes) - 1)) and T <= 14 * 2.0**top
        z = np.rint(np.exp(rng.uniform(math.log(LEAST * 0.999), math.log(T), 40000)) * 2**21)
        error = np.abs(law(z, 21 + top, sizes, 2) * z - 1).max()
        assert error < 6e-4, (T, error)
        print(f"  1/z up to {T}, two coins: relative error {error:.1e} of 6.0e-04")
    z = np.rint(np.exp(rng.uniform(math.log(3.0), math.log(2.0**36), 40000)) * 2**22)
    error = np.abs(law(z, 58, (3, 3, 3, 3, 3, 2, 2), 1) * np.sqrt(z) - 1).max()
    assert error < 2e-4, error
    print(f"  1/√z, two coins: relative error {error:.1e} of 2.0e-04")


def attend(scores, v, whole):
    """§7.6 on exact scores (rows, T), with the constants of §14.7."""
    T = scores.shape[1]
    words, basis, width, drop = (18, 17, 4, 0) if whole else (19, 23, 8, 21)
    scale = words + basis - drop
    s = short(scores * 2.0**35, 24, whole)  # scale 11
    coarse = counted(s, 12)  # units of two logits
    largest = coarse.max(1, keepdims=True)
    x = s / 2.0**11 - 2 * (largest + 1)
    kept = coarse - largest >= -9
    assert (x < 0).all() and (x.max(1) >= -6).all() and (x[kept] >= -24).all()
    dropped = np.where(kept, -np.inf, x - x.max(1, keepdims=True))
    assert (dropped < -14).all()
    l = rng.uniform(0, width, x.shape)
    phi = np.rint(2.0**basis * np.exp(-l)) / 2.0**basis
    E = np.where(kept, np.rint(2.0**words * np.exp(x + l)) * phi / 2.0**words, 0.0) * 2.0 ** (words + basis)
    E = short(np.rint(E), drop, whole) if drop else np.rint(E)
    assert (E[~kept] == 0).all() and (E < 2.0**scale).all()
    values = centred(v * 2.0**32, 20)  # scale 12
    context = short(E @ values, scale + 12 - 20, whole)  # scale 20
    top, sizes = RECIPROCALS[next(most for most in RECIPROCALS if T <= most)]
    inverse = law(E.sum(1), scale + top, sizes, 2) * 2.0**scale
    return np.rint(context * inverse[:, None] / 2.0**4) / 2.0**16


ATTENTION_ERROR = 5e-3


def check_attention():
    for whole in (False, True):
        worst = 0.0
        for T, spread in ((1, 1), (2, 1), (7, 3), (48, 0.02), (48, 4), (128, 2), (200, 6)):
            scores, v = rng.normal(0, spread, (2000 // T + 1, T)), np.clip(rng.normal(0, 2, (T, 4)), -6, 6)
            p = np.exp(scores - scores.max(1, keepdims=True))
            want = p / p.sum(1, keepdims=True) @ v
            worst = max(worst, np.abs(attend(scores, v, whole) - want).max())
        # The worst: two keys of one score, with values of ±6.
        scores = np.repeat(rng.uniform(-60, 60, (4000, 1)), 2, 1)
        worst = max(worst, np.abs(attend(scores, np.array([[6.0], [-6.0]]), whole)).max())
        assert 1e-3 < worst < ATTENTION_ERROR, worst
        words = "whole" if whole else "short"
        print(f"  attention, two coins, {words} words: error {worst:.1e} of {ATTENTION_ERROR:.1e}")


def main():
    check_split_shift()
    check_widening()
    check_short_words()
    check_laws()
    check_attention()
    print("rounding: lemmas 14.1 to 14.3 hold, and with two coins the functions keep their errors")


if __name__ == "__main__":
    main()
