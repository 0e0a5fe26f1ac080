# SPDX-License-Identifier: Apache-2.0
"""PROTOCOL §7: every function on shares, at the parameters that are built, against the declared errors."""
import math

import numpy as np

from gadgets import (
    U,
    Shared,
    choose,
    cubic,
    exponential,
    fit_cubic,
    is_negative,
    joint_table,
    mask,
    periodic_cubic,
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


GELU_SCALE = {"narrow": 13, "wide": 12, "far": 11}
GELU_DOMAIN = {"narrow": 7, "wide": 63, "far": 255}
GELU_ERROR = {"narrow": 8e-4, "wide": 8e-4, "far": 1.5e-3}


def secure_gelu(x, variant, f=gelu):
    """§7.1, scale 32 → 16."""
    s = GELU_SCALE[variant]
    drop = 2 * s - 16
    near = cubic(shift(x, 19).reduce(17), periodic_cubic(f, 32, 0.5), 12, s, s, 32, drop if variant == "narrow" else 0)
    if variant == "narrow":
        return widen(near, 64)
    bits = 9 if variant == "far" else 7
    unit, i = shift(x, 32).reduce(bits), signs(bits)
    inside, above = table(unit, ((i >= -6) & (i <= 6)).astype(int), 1), table(unit, (i > 6).astype(int), 1)
    identity = shift(x, 32 - 2 * s).reduce(32)
    return widen(choose([inside, above], [near, identity], [255, 0, 1, 0], drop), 64)


def check_gelu():
    for f in (gelu, gelu_new):
        for variant, domain in GELU_DOMAIN.items():
            x = np.concatenate([rng.uniform(-domain, domain, 1500), rng.uniform(-7, 7, 1500)]) * 0.999
            error = np.abs(real(secure_gelu(at_scale(x, 32), variant, f), 16) - f(x)).max()
            assert error < GELU_ERROR[variant], (f.__name__, variant, error)
            print(f"  {f.__name__} {variant}: error {error:.1e} of {GELU_ERROR[variant]:.1e}")


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


def power_law(z, f, top, windows, s1):
    """§7.4: z over Z_2^64 → f(z) at scale s1 + 14, and the bits [measured index ≥ 7]."""
    candidates, reached = [], []
    for w in range(windows):
        unit = top - 4 * w
        C = np.zeros((128, 4))
        for i in range(3, 128):
            C[i] = fit_cubic(lambda v: f(np.maximum(v, 1.0) * 2.0**unit), float(i), 1.0)
        index = shift(z, unit - 14) if unit >= 14 else z.raised(14 - unit, min(64, z.k + 14 - unit))
        candidates.append(cubic(index.reduce(21), C, 14, s1, 14, 64))
        if w < windows - 1:
            reached.append(table(shift(z, unit).reduce(7), (np.arange(128) >= 7).astype(int), 1))
    pick = [next((w for w in range(windows - 1) if j >> w & 1), windows - 1) for j in range(1 << (windows - 1))]
    return choose(reached, candidates, pick), reached


RECIPROCALS = {128: (1, 4, 20), 512: (3, 4, 22), 1024: (4, 5, 22)}


def check_reciprocal():
    for T, (top, windows, s1) in RECIPROCALS.items():
        z = np.exp(rng.uniform(math.log(0.0184), math.log(T), 1000))
        value, _ = power_law(at_scale(z, 34), lambda v: 2.0**34 / v, 34 + top, windows, s1)
        # The cubic from six units on, and four table words that are rounded at 2^−s1.
        limit = 1e-4 + 2 * z / 2**s1
        error = np.abs(real(value, s1 + 14) * z - 1)
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
    r, _ = power_law(squares, lambda z: math.sqrt(d) * 65536 / np.sqrt(z), 54, 9, 22)
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
        limit = 5e-4 + 1 / (c * sigma) + 3 * np.abs(want).max() * c * sigma / 2**38
        error = np.abs(got - want).max()
        assert error < limit, (resolution, error, limit)
        print(f"  LayerNorm {resolution}: error {error:.1e} of {limit:.1e}")


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
    coarse = coarse.reduce(8)
    relu = [i if i < 128 else 0 for i in range(256)]
    column = lambda x, j: Shared(x.a.reshape(T, T)[:, j], x.l.reshape(T, T)[:, j], x.k)
    row = [column(coarse, j) for j in range(T)]
    while len(row) > 1:
        half = (len(row) + 1) // 2
        row = [table(x - y, relu, 8) + y for x, y in zip(row[:half], row[len(row) - half :])]
    largest = row[0].offset(1)
    below = Shared(np.repeat(largest.a, T), np.repeat(largest.l, T), 8).raised(12, 20)
    x = scores.reduce(20) - below
    near = shift(x, 14)  # units of eight logits, Z_2^6
    keeps = lambda i: int(i == 0 or i >= 62)
    if bits is None:
        gate = table(near, [keeps(i) for i in range(64)], 1)
    else:
        # 2·index + bit, exactly: the bit as a word, from its owner.
        marked = near.raised(1, 7) + share(np.tile(real_keys, T), 7)
        gate = table(marked, [keeps(i >> 1) * (i & 1) for i in range(128)], 1)
    E = exponential(x.raised(9, 25), gate, 17, 23, width=8, k=41, drop=21, wide=49)  # scale 19
    values = signed(truncate(at_scale(v.ravel(), 32), 20)).reshape(T, D)  # scale 12
    context = widen(product((signed(E).reshape(T, T) @ values).ravel(), 49, 11), 64)  # scale 20
    total = Shared(E.a.reshape(T, T).sum(1, dtype=U), E.l.reshape(T, T).sum(1, dtype=U), 49)
    top, windows, s1 = RECIPROCALS[128]
    inverse, _ = power_law(total, lambda z: 2.0**19 / z, 19 + top, windows, s1)
    scaled = product((signed(context).reshape(T, D) * signed(inverse)[:, None]).ravel(), drop=18 + s1)
    return real(widen(scaled, 64), 16).reshape(T, D), signed(E).reshape(T, T)


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
        assert error < 2e-3, (name, error)
        assert (weights[:, text:] == 0).all()
        print(f"  attention {name}: error {error:.1e} of 2.0e-03")


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
