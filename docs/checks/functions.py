# SPDX-License-Identifier: Apache-2.0
"""PROTOCOL §7: every function on shares, at the parameters that are built, against the declared errors."""
import math

import numpy as np

from gadgets import (
    U,
    Shared,
    at_once,
    choose,
    choose_sum,
    cosine_terms,
    cosines,
    cubic,
    exponential,
    fit_polynomial,
    is_negative,
    is_negative_in,
    mask,
    periodic_cubic,
    polynomial,
    product,
    reshare,
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
        (4, -55414910, 15),
        (12, -6844551, 12),
        (20, -2638976, 10),
        (28, -1247171, 9),
        (36, -581154, 8),
        (44, -247080, 7),
        (52, -92651, 5),
        (60, -30756, 4),
        (68, -10513, 3),
    ),
    "gelu_new": half_plus(
        28,
        65536,
        (4, -55413574, 15),
        (12, -6845446, 12),
        (20, -2641333, 10),
        (28, -1248462, 9),
        (36, -580255, 8),
        (44, -245066, 7),
        (52, -91182, 5),
        (60, -30604, 4),
        (68, -11481, 3),
    ),
}
GELU_RING = {"narrow": 33, "wide": 34, "far": 36}
# GeLU is above it, at scale 16: −¼.
GELU_LEAST = -(1 << 14)
CLASS_BITS = {"wide": 7, "far": 9}
GELU_DOMAIN = {"narrow": 12, "wide": 58, "far": 250}
GELU_ERROR = {"narrow": 1.2e-3, "wide": 1.2e-3, "far": 1.2e-3}
# P1 → P2, bytes an element. The sum of the tanh form has two more bits of basis.
GELU_BYTES = {
    "gelu": {"narrow": 63.5, "wide": 94.5, "far": 148.5},
    "gelu_new": {"narrow": 63.5, "wide": 95.5, "far": 149.5},
}


def gelu_terms(x, variant, f):
    """The terms of the sum, and the low bits of it that the result loses."""
    total = (GELU_NEAR_SUMS if variant == "narrow" else GELU_SUMS)[f]
    scale, lift = total[:2]
    # The linear part's bits, and a whole turn of the cosines.
    read = reshare(shift(x, 32 - 13).reduce(max(GELU_RING[variant] - lift, 20)))
    if variant == "narrow":
        return [(read, total, None)], scale - 16
    below = lambda edge: is_negative_in(shift(read.offset(round(-edge * 2**13)), 13).reduce(CLASS_BITS[variant]))
    not_above, under = below(4.5), below(-3.5)
    return [(read, IDENTITY_SUM, not_above.offset(1)), (read, total, not_above + under)], scale - 16


def secure_gelu(x, variant, f="gelu"):
    """§7.1, scale 32 → 16."""
    terms, drop = gelu_terms(x, variant, f)
    return cosines(terms, GELU_RING[variant], drop=drop, wide=64, least=GELU_LEAST)


def gelu_bytes(variant, f):
    """All words of all entries, and two signs."""
    terms, _ = gelu_terms(at_scale(np.zeros(1), 32), variant, f)
    tables = [cosine_terms(*term, GELU_RING[variant]) for term in terms]
    bits = sum(D.shape[1] * sum(widths) for _, D, _, widths in tables)
    return (bits + (0 if variant == "narrow" else 2 * 2 ** (CLASS_BITS[variant] - 1))) / 8


def check_gelu():
    for name, f in (("gelu", gelu), ("gelu_new", gelu_new)):
        for variant, domain in GELU_DOMAIN.items():
            x = np.concatenate([rng.uniform(-domain, domain, 3000), rng.uniform(-7, 7, 3000), [-domain, domain]])
            got = real(secure_gelu(at_scale(x, 32), variant, name), 16)
            error = np.abs(got - f(x)).max()
            assert error < GELU_ERROR[variant], (name, variant, error)
            # Where both gates are closed every word is zero, so the result is.
            assert variant == "narrow" or (got[x < -4.6] == 0).all()
            assert gelu_bytes(variant, name) == GELU_BYTES[name][variant]
            print(f"  {name} {variant}: error {error:.1e} of {GELU_ERROR[variant]:.1e}")
    # The declared domain is one: beyond it the linear part wraps, or the sum is periodic.
    for variant, beyond in (("narrow", 20.0), ("wide", 70.0), ("far", 300.0)):
        wrong = real(secure_gelu(at_scale(np.array([beyond]), 32), variant), 16)
        assert abs(wrong[0] - beyond) > 1, (variant, wrong)


def secure_tanh(x):
    """§7.2, scale 32 → 16."""
    read = reshare(shift(x, 17).reduce(22))  # scale 15, for both readers
    near = cubic(read.reduce(19), periodic_cubic(np.tanh, 128, 0.125), 12, 12, 12, 32)
    unit, i = shift(read, 15), signs(7)
    inner = choose([table(unit, ((i >= -6) & (i <= 6)).astype(int), 1)], [near], [255, 0], drop=8)
    tails = table(unit, np.where((i >= -6) & (i <= 6), 0, np.where(i > 0, 1 << 16, -(1 << 16))), 24)
    return widen(inner + tails, 64)


def check_tanh():
    x = np.concatenate([rng.uniform(-62.9, 62.9, 1500), rng.uniform(-8, 8, 1500)])
    error = np.abs(real(secure_tanh(at_scale(x, 32)), 16) - np.tanh(x)).max()
    assert error < 5e-4, error
    print(f"  tanh: error {error:.1e} of 5.0e-04")


def check_sign_and_relu():
    """§6.7 and §7.3."""
    for k in (7, 8, 9):
        x = np.repeat(np.arange(1 << k), 20)
        assert (residues(is_negative_in(share(x, k))) == (x >> (k - 1)).astype(U)).all()
    x = np.concatenate([np.array([0, 1, -1, (1 << 24) - 1, -(1 << 24)]), rng.integers(-(1 << 24), 1 << 24, 2000)])
    assert (residues(is_negative(share(x, 25))) == (x < 0).astype(U)).all()
    x = rng.uniform(-255, 255, 2000)
    rounded = reshare(shift(at_scale(x, 32), 16))
    relu = choose([is_negative(rounded.reduce(25))], [rounded], [0, 255], wide=64)
    error = np.abs(real(relu, 16) - np.maximum(x, 0)).max()
    assert error < 2.0**-15, error
    print(f"  ReLU: error {error:.1e} of {2.0**-15:.1e}")


def check_at_once():
    """Lemma 5.4 in Z_2^7: exact on the whole domain and one below it, for every mask; beyond, wrong for some."""
    k, k2 = 7, 20
    r0 = np.arange(1 << k, dtype=U)
    for least in (0, -16, -64):
        right = lambda f: (signed(at_once(to_ring(f) - r0, r0, k, k2, least)) == f).all()
        most = least + (1 << (k - 1)) - 1
        assert all(right(f) for f in range(least - 1, most + 1))
        assert not right(most + 1) and not right(least - 2)


CANDIDATE_BITS = 18


def power_law(z, growth, at_unit, k, groups):
    """
    §7.4: the law over Z_2^k, `at_unit` at one unit of the widest window, and the bits *reached*. `groups`: (windows, log2
    of the widest unit) each, with its z.
    """
    first = math.ceil(math.log2(at_unit))
    C = np.zeros((16, 5))
    for i in range(2, 16):
        law = lambda v: at_unit / 2.0**first * np.maximum(v, 1.0) ** (-growth / 2)
        C[i] = fit_polynomial(law, float(i), 1.0, 4)
    reached, choices, bits = [], [], first
    for g, (windows, top) in enumerate(groups):
        kept, last = min(CANDIDATE_BITS, bits), g == len(groups) - 1
        index = shift(z[g], top - 2 * (windows - 1)).reduce(4 + 2 * (windows - 1))
        measured = np.arange(1 << index.k)
        for i in range(windows):
            unit, lost = top - 2 * i, bits - kept + growth * i
            place = shift(z[g], unit - 14) if unit >= 14 else z[g].raised(14 - unit, 18)
            ring, drop = k - bits + kept, 29 - kept
            candidate = polynomial(place.reduce(18), C, 14, 18, 11, ring + drop, drop=drop).reduce(k - lost)
            least = 0 if last and i == windows - 1 else 3 * 4 ** (windows - 1 - i)
            most = len(measured) if i == 0 else 3 * 4 ** (windows - i)
            # The last window needs no bit of its own where it is alone in its group.
            alone = last and windows == 1
            own = [] if alone else [table(index, ((measured >= least) & (measured < most)).astype(int), 1)]
            bits_read = [*reached, *own]
            pick = [255] * (1 << len(bits_read))
            pick[0 if alone else 1 << g] = 0
            choices.append((bits_read, [candidate], pick))
        if not last:
            reached.append(table(index, (measured >= 3).astype(int), 1))
        bits += growth * windows
    return choose_sum(choices, k), reached


# By positions: log2 of the widest unit, scale of 1/z, windows of every group.
RECIPROCALS = {128: (4, 22, (3, 3, 1)), 896: (6, 24, (3, 3, 2)), 1024: (7, 24, (3, 3, 3))}


def reciprocal_of(T):
    return next(law for positions, law in RECIPROCALS.items() if T <= positions)


def context_ring(T):
    """§7.6 step 6: of E and V where they meet."""
    value_bits = 52 - 2 - 20 - reciprocal_of(T)[1]
    return 33 + value_bits + math.ceil(math.log2(T))


def groups_of(top, sizes):
    return [(windows, top - 2 * sum(sizes[:g])) for g, windows in enumerate(sizes)]


def reciprocal(z, T, scale):
    """1/z for z at `scale`, over Z_2^52, and its own scale."""
    top, s, sizes = reciprocal_of(T)
    return power_law([z] * len(sizes), 2, 2.0 ** (s - top), 52, groups_of(scale + top, sizes))[0], s


def check_reciprocal():
    for T in RECIPROCALS:
        z = np.exp(rng.uniform(math.log(0.0172), math.log(0.94 * T), 1000))
        value, s = reciprocal(at_scale(z, 19, context_ring(T)), T, 19)
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


def window_levels(d, resolution):
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
    first, groups = window_levels(d, resolution)
    squares = lambda s: product((coarsened(fine, k, v - s) ** 2).sum(1), 32 + s)
    z = [squares(s).offset(round(d * epsilon * 4.0**s)) for _, _, s in groups]
    at_unit = math.sqrt(d) * 2.0 ** (product_scale(k, d) - first / 2)
    r, _ = power_law(z, 1, at_unit, k, [group[:2] for group in groups])
    return scaled_rows(fine - mean[:, None], r, k, d)


def coarse_noise(sigma, d, resolution):
    """
    Relative standard deviation of r, by the rounding of V to the scale of the group that reads its squares. ε of §5.6,
    of variance ⅓ in every entry, makes that of S 2·√(d/3)·(rms of V). That of r, relative to S, is half of it.
    """
    for windows, top, scale in window_levels(d, resolution)[1]:
        if d * sigma**2 * 4.0**scale >= 2 * 2.0 ** (top - 2 * (windows - 1)):
            return 0 if scale == CENTRED[resolution] else 1 / math.sqrt(3 * d) / (sigma * 2.0**scale)
    return 0


def check_rows(form, resolution, x, d):
    """
    Every entry of every row within its own bound. That of centred rows has two terms which §7.5 does not state. x' and
    μ' are rounded each, to an ulp of V. The squares are of a rounded V: four deviations of `coarse_noise`.
    """
    rows = len(x)
    got = real(form(at_scale(x.ravel(), 32), rows, d, 1e-5, resolution), 16).reshape(rows, d)
    centred = x - x.mean(1, keepdims=True)
    sigma = np.sqrt((centred**2).mean(1, keepdims=True) + 1e-5)
    size = np.abs(centred / sigma)
    if form is normalise_centred:
        c, ulps = 2.0 ** CENTRED[resolution], 2
        small = sigma / 2**24 + 4 * np.array([[coarse_noise(s, d, resolution)] for s in sigma[:, 0]])
    else:
        c, ulps = d * 2.0 ** (32 - int(math.log2(d)) - DROP[resolution]), 1
        small = 3 * c * sigma / 2**40
    limit = np.maximum(5e-4, 2e-4 * size) + ulps / (c * sigma) + small * size
    error = np.abs(got - centred / sigma)
    assert (error < limit).all(), (form.__name__, resolution, d, (error / limit).max())
    return error.max(), (error / limit).max()


def check_normalise():
    for form in (normalise, normalise_centred):
        for resolution in DROP if form is normalise else CENTRED:
            worst = (0.0, 0.0)
            for d in (64, 768):
                least, most = domain(d, resolution)
                # Variances over the whole domain, and one entry that holds nearly all of it.
                sigma = np.sqrt(np.geomspace(max(1.1 * least - 1e-5, 1e-6), 0.9 * most, 40))[:, None]
                x = rng.normal(0, 1, (len(sigma), d))
                x[1::4, 5] += 3 * math.sqrt(d)
                x -= x.mean(1, keepdims=True)
                x *= sigma / np.sqrt((x**2).mean(1, keepdims=True))
                # Any mean, or what roundings leave of it.
                x += sigma if form is normalise else 1e-3 * sigma
                worst = max(worst, check_rows(form, resolution, x, d), key=lambda pair: pair[1])
            print(f"  LayerNorm {form.__name__}, {resolution}: error {worst[0]:.1e}, {worst[1]:.0%} of the bound")


def maximum_rounds(width):
    return min(6 if width <= 512 else 8, math.ceil(math.log2(width)))


def maximum_levels(width, bits):
    """§7.6 step 3: (radix, columns) of every level, of fewest bits within the rounds that there are."""

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

    return best(width, maximum_rounds(width))[1]


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
    return choose_sum(choices, c[0].k) + c[0]


def row_maximum(x, T, bits):
    """(rows·T) over Z_2^bits → (rows), in levels."""
    flat = lambda z, rows: Shared(z.a.reshape(rows, -1), z.l.reshape(rows, -1), z.k)
    rows = x.a.size // T
    current = flat(x, rows)
    relu = [i if i < 1 << (bits - 1) else 0 for i in range(1 << bits)]
    for radix, columns in maximum_levels(T, bits):
        width = current.a.shape[1]
        starts = [min(i * columns, width - columns) for i in range(radix)]
        slices = [current[:, at : at + columns] for at in starts]
        slices = [Shared(z.a.ravel(), z.l.ravel(), z.k) for z in slices]
        if radix == 2:
            left, right = slices
            current = flat(table(left - right, relu, bits) + right, rows)
        else:
            current = flat(largest_of(slices), rows)
    return current[:, 0]


def check_maximum():
    """Exact while no difference wraps, one of the columns whatever wraps, within its rounds."""
    for bits in (8, 9):
        for T in (2, 3, 5, 11, 48, 128, 129, 513):
            levels, rows = maximum_levels(T, bits), 12
            assert sum(1 if radix == 2 else 2 for radix, _ in levels) <= maximum_rounds(T)
            above, base = rng.integers(0, 1 << (bits - 1), (rows, T)), rng.integers(0, 1 << bits, (rows, 1))
            largest = residues(row_maximum(share((above + base).ravel(), bits), T, bits))
            assert (largest == (above.max(1) + base[:, 0]) % (1 << bits)).all(), (T, bits)
            anything = rng.integers(0, 1 << bits, (rows, T))
            one = residues(row_maximum(share(anything.ravel(), bits), T, bits)).astype(np.int64)
            assert (anything == one[:, None]).any(1).all(), (T, bits)


def weights_of(x, gate, T):
    """§7.6 step 6: x in Z_2^25 at scale 20 → gate·exp(x) at scale 19."""
    return exponential(x, gate, 17, 23, width=8, k=41, drop=21, wide=context_ring(T))


def check_exponential():
    """Zero behind a closed gate, whatever x is. Else half an ulp of φ, relative; half of one of a word, and a rounding."""
    x = np.concatenate([rng.uniform(-24, -(2.0**-11), 4000), [-(2.0**-11), -8, -16, -24]])
    words = np.rint(x * 2**20).astype(np.int64)
    for bit in (0, 1):
        got = real(weights_of(share(words, 25), share(np.full(x.size, bit), 1), 128), 19)
        want = bit * np.exp(words / 2**20)
        assert (np.abs(got - want) <= bit * (1.8e-4 * want + 2.0**-18 + 2.0**-19)).all() and (got < 1).all()


def attend(q, k, v, bits=8, real_keys=None, causal=False):
    """§7.6, one head, q (R, D), k and v (T, D). `real_keys`: 1 at text, 0 at padding; §7.7, like `causal`."""
    (R, D), T, ring = q.shape, len(k), 36 + bits
    operand = lambda z: signed(shift(at_scale(z.ravel(), 32), 16).reduce(ring)).reshape(-1, D)
    scores = product((operand(q * 8 / math.sqrt(D)) @ operand(k).T).ravel(), ring, 24)  # scale 11, Z_2^(12 + bits)
    coarse = shift(scores, 12)  # units of two logits, Z_2^bits
    seen = np.tril(np.ones((R, T), int)) if causal else np.ones((R, T), int)
    if causal:
        # Hidden columns show the row's first score.
        coarse = coarse[(np.arange(R)[:, None] * T + np.where(seen, np.arange(T), 0)).ravel()]
    if real_keys is not None:
        marks = share(np.tile(real_keys, R), 1)
        first = Shared(np.repeat(coarse.a[::T], T), np.repeat(coarse.l[::T], T), bits)
        coarse = choose([marks], [coarse - first], [255, 0]) + first
    largest = row_maximum(coarse, T, bits).offset(1)
    x = scores - Shared(np.repeat(largest.a, T), np.repeat(largest.l, T), bits).raised(12, 12 + bits)
    near = shift(x, 14)  # units of eight logits, Z_2^(bits − 2)
    if real_keys is None:
        gate = is_negative_in(near.offset(2)).offset(1)
    else:
        # 2·index + bit, exactly: the bit as a word, from its owner.
        marked = near.raised(1, near.k + 1) + share(np.tile(real_keys, R), near.k + 1)
        units = 1 << near.k
        gate = table(marked, [int(i >> 1 == 0 or i >> 1 >= units - 2) * (i & 1) for i in range(2 * units)], 1)
    E = weights_of(x.raised(9, 25), gate, T)
    E = E.scale(seen.ravel())  # hidden columns are left out: shares of zero
    values = signed(truncate(at_scale(v.ravel(), 32), 20, 49).reduce(E.k)).reshape(T, D)  # scale 12
    context = widen(product((signed(E).reshape(R, T) @ values).ravel(), E.k, 11), 52)  # scale 20
    inverse, s = reciprocal(row_sums(E, R, T), T, 19)
    scaled = product((signed(context).reshape(R, D) * signed(inverse)[:, None]).ravel(), 52, 4 + s)
    return real(widen(scaled, 64), 16).reshape(R, D), signed(E).reshape(R, T)


# For |v| ≤ 6, and what nearly all entries keep to.
ATTENTION_ERROR, USUAL_ERROR = 5e-3, 2e-3


def attention_error(q, k, v, text=None, **how):
    text = len(k) if text is None else text
    s = q @ k.T / math.sqrt(q.shape[1])
    s[:, text:] = -np.inf
    if how.get("causal"):
        s[np.triu(np.ones(s.shape, bool), 1)] = -np.inf
    got, weights = attend(q, k, v, **how)
    p = np.exp(s - s.max(1, keepdims=True))
    assert (weights[s == -np.inf] == 0).all()
    return np.abs(got - p / p.sum(1, keepdims=True) @ v)


def check_attention():
    D = 64
    cases = (
        ("flat", 48, 0.02, 48, {}),
        ("mild", 48, 1.0, 48, {}),
        ("sharp", 48, 2.4, 48, {}),
        ("far apart, 9 bits", 48, 8.0, 48, {"bits": 9}),
        ("padded", 48, 1.4, 17, {"real_keys": (np.arange(48) < 17).astype(int)}),
        ("padded, 9 bits", 48, 3.0, 17, {"bits": 9, "real_keys": (np.arange(48) < 17).astype(int)}),
        ("causal", 48, 1.4, 48, {"causal": True}),
        ("longer", 160, 1.0, 160, {}),
    )
    for name, T, spread, text, how in cases:
        q, k = rng.normal(0, spread, (T, D)), rng.normal(0, spread, (T, D))
        v = rng.normal(0, 1, (T, D))
        v[0] *= 2
        error = attention_error(q, k, v, text, **how)
        assert error.max() < ATTENTION_ERROR and np.quantile(error, 0.999) < USUAL_ERROR, (name, error.max())
        if name == "far apart, 9 bits":
            assert attention_error(q, k, v).max() > 0.1  # for 8 bits they are too far apart
        print(f"  attention {name}: error {error.max():.1e} of {ATTENTION_ERROR:.1e}")
    # The worst: two keys of one score, with values of ±6.
    q = np.repeat(rng.normal(0, 2, (3000, 1)), 2, 1)
    error = attention_error(q, np.array([[3.0, 4.0], [4.0, 3.0]]), np.array([[6.0, 6.0], [-6.0, -6.0]])).max()
    assert USUAL_ERROR < error < ATTENTION_ERROR, error
    print(f"  attention, two keys: error {error:.1e} of {ATTENTION_ERROR:.1e}")


def main():
    check_gelu()
    check_tanh()
    check_at_once()
    check_sign_and_relu()
    check_reciprocal()
    check_normalise()
    check_maximum()
    check_exponential()
    check_attention()
    print("functions: every error is below the declared one, of centred rows below it and two more roundings")


if __name__ == "__main__":
    main()
