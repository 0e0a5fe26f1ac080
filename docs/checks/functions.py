# SPDX-License-Identifier: Apache-2.0
"""PROTOCOL §7: every function on shares, at the parameters that are built, against the declared errors."""
import math

import numpy as np

from gadgets import (
    U,
    Shared,
    choose,
    choose_sum,
    cosines,
    cubic,
    exponential,
    fit_polynomial,
    is_negative,
    is_negative_in,
    periodic_cubic,
    polynomial,
    product,
    residues,
    rng,
    share,
    shift,
    signed,
    table,
    truncate,
    widen,
)

erf = np.vectorize(math.erf)


def gelu(x):
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


def gelu_new(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def at_scale(x, scale, k=64):
    return share(np.rint(np.asarray(x) * 2.0**scale).astype(np.int64), k)


def real(x, scale):
    return signed(x) / 2.0**scale


def signs(bits):
    s = np.arange(1 << bits)
    return np.where(s >= 1 << (bits - 1), s - (1 << bits), s)


def half_plus(scale, constant, *rows):
    """x/2 + c + Σ of x at scale 13, whose turn of 2^20 steps is 128 units: rows (frequency, amplitude at 2^24, s2)."""
    return scale, scale - 14, constant, [(j, amplitude / 2**24, 13, s2) for j, amplitude, s2 in rows]


IDENTITY_SUM = (27, 14, 0, [])
# The amplitudes that parties agree on; cosines.py fits those of erf again.
GELU_SUMS = {
    "gelu": half_plus(27, 33155, (8, -29654209, 14), (25, -3597712, 10), (43, -644469, 8), (63, -53919, 4)),
    "gelu_new": half_plus(27, 32686, (8, -28949530, 14), (24, -3672943, 11), (41, -771285, 8), (61, -76131, 5)),
}
GELU_NEAR_SUMS = {
    "gelu": half_plus(
        28,
        65536,
        (4, -55414660, 15),
        (12, -6844911, 12),
        (20, -2638602, 10),
        (28, -1246845, 9),
        (36, -582338, 8),
        (44, -246569, 7),
        (52, -89689, 5),
        (59, -29553, 4),
        (66, -13885, 3),
    ),
    "gelu_new": half_plus(
        28,
        65536,
        (4, -55413386, 15),
        (12, -6845458, 12),
        (20, -2641713, 10),
        (28, -1248086, 9),
        (36, -579555, 8),
        (44, -246663, 7),
        (52, -92191, 5),
        (61, -30422, 4),
        (68, -9771, 3),
    ),
}
GELU_RING = {"narrow": 34, "wide": 35, "far": 37}
CLASS_BITS = {"wide": 7, "far": 9}
GELU_DOMAIN = {"narrow": 12, "wide": 58, "far": 250}
GELU_ERROR = {"narrow": 2e-3, "wide": 1.2e-3, "far": 1.2e-3}


def secure_gelu(x, variant, f="gelu"):
    """§7.1, scale 32 → 16."""
    k = GELU_RING[variant]
    total = (GELU_NEAR_SUMS if variant == "narrow" else GELU_SUMS)[f]
    scale, lift = total[:2]
    read = shift(x, 32 - 13).reduce(k - lift)
    if variant == "narrow":
        return widen(cosines([(read, total, None)], k, scale - 16), 64)
    below = lambda edge: is_negative_in(shift(read.offset(round(-edge * 2**13)), 13).reduce(CLASS_BITS[variant]))
    not_above, under = below(4.5), below(-3.5)
    terms = [(read, IDENTITY_SUM, not_above.offset(1)), (read, total, not_above + under)]
    return widen(cosines(terms, k, scale - 16), 64)


def check_gelu():
    for name, f in (("gelu", gelu), ("gelu_new", gelu_new)):
        for variant, domain in GELU_DOMAIN.items():
            x = np.concatenate([rng.uniform(-domain, domain, 3000), rng.uniform(-7, 7, 3000), [-domain, domain]])
            got = real(secure_gelu(at_scale(x, 32), variant, name), 16)
            error = np.abs(got - f(x)).max()
            assert error < GELU_ERROR[variant], (name, variant, error)
            # Where both gates are closed every word is zero, so the result is.
            assert variant == "narrow" or (got[x < -4.6] == 0).all()
            print(f"  {name} {variant}: error {error:.1e} of {GELU_ERROR[variant]:.1e}")
    # The declared domain is one: beyond it the linear part wraps, or the sum is periodic.
    for variant, beyond in (("narrow", 20.0), ("wide", 70.0), ("far", 300.0)):
        wrong = real(secure_gelu(at_scale(np.array([beyond]), 32), variant), 16)
        assert abs(wrong[0] - beyond) > 1, (variant, wrong)


def secure_tanh(x):
    """§7.2, scale 32 → 16."""
    near = cubic(shift(x, 17).reduce(19), periodic_cubic(np.tanh, 128, 0.125), 12, 12, 12, 32)
    unit, i = shift(x, 32).reduce(7), signs(7)
    inner = choose([table(unit, ((i >= -6) & (i <= 6)).astype(int), 1)], [near], [255, 0], 8)
    tails = table(unit, np.where((i >= -6) & (i <= 6), 0, np.where(i > 0, 1 << 16, -(1 << 16))), 24)
    return widen(inner + tails, 64)


def check_tanh():
    x = np.concatenate([rng.uniform(-62.9, 62.9, 1500), rng.uniform(-8, 8, 1500)])
    error = np.abs(real(secure_tanh(at_scale(x, 32)), 16) - np.tanh(x)).max()
    assert error < 5e-4, error
    print(f"  tanh: error {error:.1e} of 5.0e-04")


def check_sign_and_relu():
    """§6.7 and §7.3."""
    x = np.concatenate([np.array([0, 1, -1, (1 << 24) - 1, -(1 << 24)]), rng.integers(-(1 << 24), 1 << 24, 2000)])
    assert (residues(is_negative(share(x, 25))) == (x < 0).astype(U)).all()
    x = rng.uniform(-255, 255, 2000)
    rounded = shift(at_scale(x, 32), 16)
    relu = widen(choose([is_negative(rounded.reduce(25))], [rounded], [0, 255]), 64)
    error = np.abs(real(relu, 16) - np.maximum(x, 0)).max()
    assert error < 2.0**-15, error
    print(f"  ReLU: error {error:.1e} of {2.0**-15:.1e}")


def power_law(z, f, top, segments, ratio, s1, least):
    """§7.4: z over Z_2^64 → f(z) at scale s1 + 11. `segments`: of every window, the widest first."""
    candidates, choices, reached = [], [], []
    for w, n in enumerate(segments):
        unit = top - ratio * w
        C = np.zeros((n, 5))
        for i in range(2, n):
            start = min(0.5, max(-1, least / 2.0**unit - i)) if w == len(segments) - 1 else -1
            C[i] = fit_polynomial(lambda v: f(np.maximum(v, 1.0) * 2.0**unit), float(i), 1.0, 4, start)
        bits = int(math.log2(n))
        index = shift(z, unit - 14) if unit >= 14 else z.raised(14 - unit, 14 + bits)
        candidates.append(polynomial(index.reduce(14 + bits), C, 14, s1, 11, 64))
        if w < len(segments) - 1:
            reached.append(table(shift(z, unit).reduce(bits), (np.arange(n) >= 3).astype(int), 1))
    for w, candidate in enumerate(candidates):
        bits = reached[: w + 1]
        pick = [255] * (1 << len(bits))
        pick[1 << w if w < len(reached) else 0] = 0
        choices.append((bits, [candidate], pick))
    return choose_sum(choices)


# Positions: unit of the widest window, segments, s1.
RECIPROCALS = {128: (2, (64, 32, 32, 32), 23), 1024: (5, (64, 32, 32, 32, 32), 25)}
RECIPROCAL_ERROR = 6e-4
# Scale of Z, and the least of a row.
EXP_SCALE = 19
LEAST_TOTAL = 0.99 * math.exp(-4) * 2**EXP_SCALE


def reciprocal(total, T):
    top, segments, s1 = RECIPROCALS[T]
    return power_law(total, lambda z: 2.0**EXP_SCALE / z, EXP_SCALE + top, segments, 3, s1, LEAST_TOTAL), s1 + 11


def check_reciprocal():
    for T in RECIPROCALS:
        z = np.exp(rng.uniform(-4, math.log(T), 4000))
        value, scale = reciprocal(at_scale(z, EXP_SCALE), T)
        # From two units on, and table words that are rounded at 2^−s1.
        limit = RECIPROCAL_ERROR + 2 * z / 2.0 ** (scale - 11)
        error = np.abs(real(value, scale) * (np.rint(z * 2**EXP_SCALE) / 2**EXP_SCALE) - 1)
        assert (error < limit).all(), (T, (error / limit).max())
        print(f"  1/z up to {T}: relative error {error.max():.1e}, at most {(error / limit).max():.0%} of the bound")


DROP = {"fine": 13, "normal": 17, "coarse": 21, "broad": 25}


def normalise(x, rows, d, epsilon, resolution):
    """§7.5, scale 32 → 16."""
    e = int(math.log2(d)) + DROP[resolution]
    total = Shared(x.a.reshape(rows, d).sum(1, dtype=U), x.l.reshape(rows, d).sum(1, dtype=U), 64)
    repeat = lambda y: Shared(np.repeat(y.a, d), np.repeat(y.l, d), y.k)
    v = signed(truncate(x.scale(d) - repeat(total), e)).reshape(rows, d)
    c = d * 2.0 ** (32 - e)
    squares = product((v * v).sum(1)).offset(round(d * epsilon * c * c))
    r = power_law(squares, lambda z: math.sqrt(d) * 65536 / np.sqrt(z), 55, (64,) * 9, 4, 25, 3 * 2**23)
    return widen(product((v * signed(r)[:, None]).ravel(), drop=36), 64)


def check_normalise():
    rows, d = 24, 768
    for resolution, scale, outlier in (("fine", 0.02, 0), ("normal", 1, 0), ("coarse", 1, 800)):
        x = rng.normal(0, scale, (rows, d))
        x[:, 5] += outlier
        x[:, 9] -= outlier / 3
        got = real(normalise(at_scale(x.ravel(), 32), rows, d, 1e-5, resolution), 16).reshape(rows, d)
        centred = x - x.mean(1, keepdims=True)
        want = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)
        sigma = math.sqrt((centred**2).mean())
        c = d * 2.0 ** (32 - int(math.log2(d)) - DROP[resolution])
        size = np.abs(want)
        limit = np.maximum(5e-4, 1.8e-4 * size) + 1 / (c * sigma) + 3 * size * c * sigma / 2**40
        error = np.abs(got - want)
        assert (error < limit).all(), (resolution, (error / limit).max())
        print(f"  LayerNorm {resolution}: error {error.max():.1e}, at most {(error / limit).max():.0%} of the bound")


def levels(width, bits):
    """§7.6 step 3: (radix, columns) of every level, of fewest bits within ⌈log2 width⌉ rounds."""

    def best(width, rounds):
        if width == 1:
            return 0, []
        found = None
        for most in range(2, 9):
            columns = -(-width // most)
            r = -(-width // columns)
            spent = 1 if r == 2 else 2
            rest = best(columns, rounds - spent) if rounds >= spent else None
            if rest is None:
                continue
            pairs = r * (r - 1) // 2 * 2 ** (bits - 1) + (r - 1) * 2 ** (r - 1) * 2 * bits
            cost = rest[0] + columns * (2**bits * bits if r == 2 else pairs)
            if found is None or cost < found[0]:
                found = cost, [(r, columns), *rest[1]]
        return found

    return best(width, math.ceil(math.log2(width)))[1]


def largest_of(c):
    """M = c_0 + Σ_k win_k·(c_k − c_0), from a sign bit for every pair."""
    r = len(c)
    less = {(i, j): is_negative_in(c[i] - c[j]) for i in range(r) for j in range(i + 1, r)}
    choices = []
    for k in range(1, r):
        bits = [less[min(j, k), max(j, k)] for j in range(r) if j != k]
        # It beats those before it, and none behind beats it.
        pick = [0 if j == (1 << k) - 1 else 255 for j in range(1 << (r - 1))]
        choices.append((bits, [c[k] - c[0]], pick))
    return choose_sum(choices) + c[0]


def row_maximum(x, T, bits=8):
    """(rows·T) over Z_2^8 → (rows), in levels."""
    flat = lambda z, rows: Shared(z.a.reshape(rows, -1), z.l.reshape(rows, -1), z.k)
    rows = x.a.size // T
    current = flat(x, rows)
    relu = [i if i < 128 else 0 for i in range(256)]
    for radix, columns in levels(T, bits):
        width = current.a.shape[1]
        starts = [min(i * columns, width - columns) for i in range(radix)]
        slices = [current[:, at : at + columns] for at in starts]
        slices = [Shared(z.a.ravel(), z.l.ravel(), z.k) for z in slices]
        if radix == 2:
            left, right = slices
            current = flat(table(left - right, relu, 8) + right, rows)
        else:
            current = flat(largest_of(slices), rows)
    return current[:, 0]


def attend(q, k, v, real_keys=None):
    """§7.6, one head, (T, D) each, 8 tree bits. `real_keys`: 1 at text, 0 at padding (§7.7)."""
    T, D = q.shape
    qi, ki = (signed(shift(at_scale(z.ravel(), 32), 16)).reshape(T, D) for z in (q * 8 / math.sqrt(D), k))
    scores = product((qi @ ki.T).ravel(), 48, 24)  # scale 11
    coarse = shift(scores, 12)  # units of two logits, Z_2^12
    bits = None
    if real_keys is not None:
        bits = share(np.tile(real_keys, T), 1)
        first = Shared(np.repeat(coarse.a[::T], T), np.repeat(coarse.l[::T], T), 12)
        kept = choose([bits], [(coarse - first).reduce(8)], [255, 0])
        coarse = kept + first.reduce(8)
    largest = row_maximum(coarse.reduce(8), T).offset(1)
    below = Shared(np.repeat(largest.a, T), np.repeat(largest.l, T), 8).raised(12, 20)
    x = scores.reduce(20) - below
    near = shift(x, 14)  # units of eight logits, Z_2^6
    if bits is None:
        gate = is_negative_in(near.offset(2)).offset(1)
    else:
        # 2·index + bit, exactly: the bit as a word, from its owner.
        marked = near.raised(1, 7) + share(np.tile(real_keys, T), 7)
        keeps = lambda i: int(i == 0 or i >= 62)
        gate = table(marked, [keeps(i >> 1) * (i & 1) for i in range(128)], 1)
    E = exponential(x.raised(9, 25), gate, 17, 17, drop=15)  # scale 19, Z_2^49
    values = signed(truncate(at_scale(v.ravel(), 32), 20, 49)).reshape(T, D)  # scale 12
    context = widen(product((signed(E).reshape(T, T) @ values).ravel(), 49, 11), 64)  # scale 20
    total = Shared(E.a.reshape(T, T).sum(1, dtype=U), E.l.reshape(T, T).sum(1, dtype=U), 49)
    inverse, scale = reciprocal(total, 128)
    scaled = product((signed(context).reshape(T, D) * signed(inverse)[:, None]).ravel(), drop=20 + scale - 16)
    return real(widen(scaled, 64), 16).reshape(T, D), signed(E).reshape(T, T)


# For |v| ≤ 6; usually 2e-3.
ATTENTION_ERROR = 5e-3


def check_attention():
    T, D = 48, 64
    for name, spread, text in (("flat", 0.02, T), ("mild", 1.0, T), ("sharp", 2.4, T), ("padded", 1.4, 17)):
        q, k = rng.normal(0, spread, (T, D)), rng.normal(0, spread, (T, D))
        v = rng.normal(0, 1, (T, D))
        v[0] *= 2
        real_keys = None if text == T else (np.arange(T) < text).astype(int)
        got, weights = attend(q, k, v, real_keys)
        s = (q @ k.T / math.sqrt(D))[:, :text]
        p = np.exp(s - s.max(1, keepdims=True))
        error = np.abs(got - p / p.sum(1, keepdims=True) @ v[:text]).max()
        assert error < ATTENTION_ERROR, (name, error)
        assert (weights[:, text:] == 0).all()
        print(f"  attention {name}: error {error:.1e} of {ATTENTION_ERROR:.1e}")


def main():
    check_gelu()
    check_tanh()
    check_sign_and_relu()
    check_reciprocal()
    check_normalise()
    check_attention()
    print("functions: every error is below the declared one")


if __name__ == "__main__":
    main()
