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
    to_ring,
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


ROUNDED_BITS = 18


def power_law(z, growth, at_unit, k, groups):
    """
    §7.4: the law over Z_2^k, `at_unit` at one unit of the widest window, and the bits *reached*. `groups`: (windows, log2
    of the widest unit) each, with its z.
    """
    first = math.ceil(math.log2(at_unit))
    C = np.zeros((16, 5))
    for i in range(2, 16):
        law = lambda v: at_unit / 2.0**first * np.maximum(v, 1.0) ** (-growth / 2)
        C[i] = fit_cubic(law, float(i), 1.0, degree=4)
    reached, total, bits = [], None, first
    for g, (windows, top) in enumerate(groups):
        kept = min(ROUNDED_BITS, bits)
        last = g == len(groups) - 1
        index = shift(z[g], top - 2 * (windows - 1)).reduce(4 + 2 * (windows - 1))
        measured = np.arange(1 << index.k)
        for i in range(windows):
            unit, lost = top - 2 * i, bits - kept + growth * i
            place = shift(z[g], unit - 14) if unit >= 14 else z[g].raised(14 - unit, min(64, z[g].k + 14 - unit))
            ring, drop = k - bits + kept, 29 - kept
            candidate = cubic(place.reduce(18), C, 14, 18, 11, ring + drop, drop).reduce(k - lost)
            least = 0 if last and i == windows - 1 else 3 * 4 ** (windows - 1 - i)
            most = len(measured) if i == 0 else 3 * 4 ** (windows - i)
            own = table(index, ((measured >= least) & (measured < most)).astype(int), 1)
            pick = [0 if j == 1 << g else 255 for j in range(2 << g)]
            word = choose([*reached, own], [candidate], pick).raised(lost, k)
            total = word if total is None else total + word
        if not last:
            reached.append(table(index, (measured >= 3).astype(int), 1))
        bits += growth * windows
    return total, reached


RECIPROCALS = {128: (4, 22, (3, 3, 1)), 896: (6, 24, (3, 3, 2)), 1024: (7, 24, (3, 3, 3))}


def groups_of(top, sizes):
    return [(windows, top - 2 * sum(sizes[:g])) for g, windows in enumerate(sizes)]


def reciprocal(z, T, scale):
    """1/z for z at `scale`, over Z_2^52, and its own scale."""
    top, s, sizes = RECIPROCALS[T]
    return power_law([z] * len(sizes), 2, 2.0 ** (s - top), 52, groups_of(scale + top, sizes))[0], s


def check_reciprocal():
    for T, (_, s, _) in RECIPROCALS.items():
        z = np.exp(rng.uniform(math.log(0.0172), math.log(0.94 * T), 1000))
        value, _ = reciprocal(at_scale(z, 19), T, 19)
        error = np.abs(real(value, s) * z - 1)
        assert error.max() < 6e-4, (T, error.max())
        print(f"  1/z up to {T}: relative error {error.max():.1e} of 6.0e-04")


DROP = {"fine": 13, "normal": 17, "coarse": 21, "broad": 25}
CENTRED = {"fine": 20, "normal": 16, "coarse": 14}


def product_scale(k, d):
    return k - 2 - math.ceil(math.log2(1.01 * math.sqrt(d)))


def scaled_rows(v, r, k, d):
    return widen(product((v * signed(r)[:, None]).ravel(), k, product_scale(k, d) - 16), 64)


def row_sums(x, rows, d):
    return Shared(x.a.reshape(rows, d).sum(1, dtype=U), x.l.reshape(rows, d).sum(1, dtype=U), x.k)


def domain(d, resolution):
    """Variances between which a row is inside."""
    squares = d * (d * 2.0 ** (32 - int(math.log2(d)) - DROP[resolution])) ** 2
    return 3 * 2.0**23 / squares, min(2.0**60.9 / squares, 2.0**60 / d**3)


def units(least, most):
    """Even exponents of the widest window and of the last."""
    return 2 * math.ceil(math.log2(most / 14) / 2), 2 * math.floor(math.log2(least / 3) / 2)


def group_size(left):
    return 2 if left == 4 else min(3, left)


def normalise(x, rows, d, epsilon, resolution):
    """§7.5, any rows, scale 32 → 16."""
    e = int(math.log2(d)) + DROP[resolution]
    total = row_sums(x, rows, d)
    repeat = lambda y: Shared(np.repeat(y.a, d), np.repeat(y.l, d), y.k)
    v = signed(truncate(x.scale(d) - repeat(total), e)).reshape(rows, d)
    c = d * 2.0 ** (32 - e)
    squares = product((v * v).sum(1)).offset(round(d * epsilon * c * c))
    first, last = units(3 * 2.0**23, 2.0**60.9)
    windows = (first - last) // 2 + 1
    sizes = []
    while sum(sizes) < windows:
        sizes.append(group_size(windows - sum(sizes)))
    at_unit = math.sqrt(d) * 2.0 ** (product_scale(64, d) - first / 2)
    r, _ = power_law([squares] * len(sizes), 1, at_unit, 64, groups_of(first, sizes))
    return scaled_rows(v, r, 64, d)


def coarsened(v, k, s):
    """§5.6: integers v of a lifted sharing over Z_2^k → of v/2^s over Z_2^(k−s)."""
    l1, l2 = (rng.integers(0, 1 << k, v.shape, dtype=U) for _ in range(2))
    m = (to_ring(v) + l1 + l2) & mask(k)
    near = lambda words: (((words.astype(object) + ((1 << s) >> 1)) >> s) % (1 << (k - s))).astype(U)
    return signed(Shared(near(m) - near(l1), near(l2), k - s))


def levels(d, resolution):
    """Groups of windows with the scale of the V that each reads."""
    v = CENTRED[resolution]
    least, most = (bound * d * 4.0**v for bound in domain(d, resolution))
    first, last = units(least, most)
    out, at = [], first
    while at >= last:
        scale = min(v, 28 - at + 2 * v)
        top = at - 2 * (v - scale)
        windows = group_size((at - last) // 2 + 1)
        while windows > 1 and scale < v and 2.0 ** (top - 2 * windows + 3) < d * 64**2:
            windows -= 1
        out.append((windows, top, scale))
        at -= 2 * windows
    return first, out


def normalise_centred(x, rows, d, epsilon, resolution):
    """§7.5, centred rows."""
    v, k = CENTRED[resolution], 32 + CENTRED[resolution]
    fine = signed(shift(x, 32 - v)).reshape(rows, d)
    rest = shift(shift(row_sums(x, rows, d), 16).scale(round(2**20 / d)), 36 - v)
    mean = signed(widen(rest, k))
    first, groups = levels(d, resolution)
    squares = lambda s: product((coarsened(fine, k, v - s).astype(object) ** 2).sum(1), 32 + s)
    z = [squares(s).offset(round(d * epsilon * 4.0**s)) for _, _, s in groups]
    at_unit = math.sqrt(d) * 2.0 ** (product_scale(k, d) - first / 2)
    r, _ = power_law(z, 1, at_unit, k, [group[:2] for group in groups])
    return scaled_rows(fine - mean[:, None], r, k, d)


def check_normalise():
    rows, d = 24, 768
    cases = (("fine", 0.02, 0), ("normal", 1, 0), ("coarse", 2, 800))
    for form in (normalise, normalise_centred):
        for resolution, scale, outlier in cases:
            x = rng.normal(0, scale, (rows, d))
            x[:, 5] += outlier
            x[:, 9] -= outlier / 3
            if form is normalise_centred:
                x -= x.mean(1, keepdims=True) - 1e-4
            got = real(form(at_scale(x.ravel(), 32), rows, d, 1e-5, resolution), 16).reshape(rows, d)
            centred = x - x.mean(1, keepdims=True)
            want = centred / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)
            sigma = math.sqrt((centred**2).mean())
            c = d * 2.0 ** (32 - int(math.log2(d)) - DROP[resolution])
            small = 3 * c * sigma / 2**40
            if form is normalise_centred:
                c, small = 2.0 ** CENTRED[resolution], sigma / 2**24
            limit = 5e-4 + 1 / (c * sigma) + np.abs(want).max() * (2e-4 + small)
            error = np.abs(got - want).max()
            assert error < limit, (form.__name__, resolution, error, limit)
            print(f"  LayerNorm {form.__name__}, {resolution}: error {error:.1e} of {limit:.1e}")


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
    E = exponential(x.raised(9, 25), gate, 17, 17)
    values = signed(truncate(at_scale(v.ravel(), 32), 20)).reshape(T, D)  # scale 12
    context = widen(product((signed(E).reshape(T, T) @ values).ravel(), drop=26), 52)  # scale 20
    inverse, s = reciprocal(shift(row_sums(E, T, T), 15), 128, 19)
    scaled = product((signed(context).reshape(T, D) * signed(inverse)[:, None]).ravel(), 52, 4 + s)
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
