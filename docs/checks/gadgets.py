# SPDX-License-Identifier: Apache-2.0
"""The gadgets of docs/PROTOCOL.md §4–§7 on shares, with every pad, in numpy.

A one-sided value is x = a − l mod 2^k: `a` at P1, `l` (λ2) at P2 and P0. Written from the protocol's text and not
from src/, so that test/vectors/gadgets.json, which is made with it, is an independent implementation.
"""
import math

import numpy as np

U = np.uint64
rng = np.random.default_rng(1)


def mask(k):
    return U((1 << k) - 1)


def draw(shape):
    """Uniform words: what two parties would draw from a stream that they share."""
    return rng.integers(0, 2**64 - 1, size=shape, dtype=U, endpoint=True)


def to_ring(x):
    return np.asarray(x).astype(np.int64).astype(U)


class Shared:
    """x = a − l in Z_2^k."""

    def __init__(self, a, l, k):
        self.a, self.l, self.k = a & mask(k), l & mask(k), k

    def __add__(self, other):
        return Shared(self.a + other.a, self.l + other.l, min(self.k, other.k))

    def __sub__(self, other):
        return Shared(self.a - other.a, self.l - other.l, min(self.k, other.k))

    def __getitem__(self, i):
        return Shared(self.a[i], self.l[i], self.k)

    def offset(self, c):
        return Shared(self.a + to_ring(c), self.l, self.k)

    def scale(self, c):
        return Shared(self.a * to_ring(c), self.l * to_ring(c), self.k)

    def reduce(self, k):
        assert k <= self.k
        return Shared(self.a, self.l, k)

    def raised(self, s, k):
        """x · 2^s read in Z_2^k, k ≤ self.k + s."""
        assert k <= self.k + s
        return Shared(self.a << U(s), self.l << U(s), k)


def share(x, k=64):
    l = draw(np.shape(x))
    return Shared(to_ring(x) + l, l, k)


def residues(x):
    return (x.a - x.l) & mask(x.k)


def signed(x):
    v = residues(x)
    if x.k == 64:
        return v.view(np.int64)
    return np.where(v >> U(x.k - 1), v.astype(np.int64) - (1 << x.k), v.astype(np.int64))


def shift(x, s):
    """PROTOCOL §5.1: Z_2^k → Z_2^(k−s), no message."""
    return Shared(x.a >> U(s), x.l >> U(s), x.k - s)


def rounded(x, k, d, c):
    """⌊(x + c)/2^d⌋ over Z_2^(k−d), of a residue over Z_2^k: how a party rounds its part (PROTOCOL §5.5)."""
    return ((x + to_ring(c)) & mask(k)) >> U(d)


def up(x, k, d):
    return rounded(x, k, d, (1 << d) - 1)


def nearest(x, k, d):
    return rounded(x, k, d, (1 << d) >> 1)


def reshare(x):
    """PROTOCOL §4.11: an additive wire under a λ2' that P0 knows."""
    l = draw(x.a.shape)
    message = l - x.l  # P2 → P1
    return Shared(x.a + message, l, x.k)


def at_once(y, r0, k, k2, least=0):
    """
    PROTOCOL §5.2: y + r0 in Z_2^k, of which P2 has y and P1 r0, widened by P2, with words of the dealer. An additive
    wire, exact from `least` to `least` + 2^(k−1) − 1.
    """
    z, t = (draw(y.shape) & mask(k2 - k) for _ in range(2))
    y, r0 = (y - to_ring(least)) & mask(k), r0 & mask(k)
    b, c = y >> U(k - 1), r0 >> U(k - 1)
    own = z - c * t  # P0 → P1, ahead
    e = U(1) - b + t  # P2 → P1
    return Shared(r0 - ((c * e + own) << U(k)), ((b - z) << U(k)) - y - to_ring(least), k2)


def select_sum(tables, k, drop=0, wide=None, least=0):
    """
    PROTOCOL §4.7: a fresh sharing of Σ_p D[index, p]·φ_p, of several selections in one sum.

    A table is (index, D, phi, widths): `index` (N,) and `phi` (N, P) at P2 and P0, D (N, n, P) at P1. `widths`: bits of
    the P words, or None; φ_p is a multiple of 2^(k − widths[p]). Pads are each table's own; r0, B and λ2' are one for
    all. With `drop` = d, §5.5: of the sum over 2^d, rounded. With `wide`, §5.2: widened at once to that ring.
    """
    N = len(tables[0][0])
    rows, E, y = np.arange(N), np.zeros(N, U), np.zeros(N, U)
    for index, D, phi, widths in tables:
        low = np.array([mask(w) for w in widths or [k] * D.shape[2]], U)
        pads = draw(D.shape) & low
        e = (D + pads) & low  # P1 → P2
        E += (pads[rows, index] * phi).sum(1, dtype=U)
        y += (e[rows, index] * phi).sum(1, dtype=U)
    r0 = draw((N,))
    B = up(U(0) - E, k, drop) - r0  # P0 → P2, ahead
    y = rounded(y, k, drop, 0) + B  # P2: f − r0
    if wide is not None:
        return at_once(y, r0, k - drop, wide, least)
    l = draw((N,))
    return Shared((y + l) + r0, l, k - drop)  # P2 → P1: y + λ2'


def select(index, D, phi, k, widths=None, **how):
    """One selection (PROTOCOL §4.7)."""
    return select_sum([(index, D, phi, widths)], k, **how)


def ones(N):
    return np.ones((N, 1), U)


def table(x, entries, k):
    """PROTOCOL §6.2: T[x] for x in Z_2^b, exact."""
    n = len(entries)
    rows = (x.a.astype(np.int64)[:, None] - np.arange(n)[None, :]) % n
    return select(x.l.astype(np.int64), to_ring(entries)[rows][:, :, None], ones(x.a.size), k)


def joint_index(bits, part):
    return sum((getattr(bit, part) << U(b) for b, bit in enumerate(bits)), start=np.zeros(bits[0].a.size, U))


def joint_table(bits, entries, k):
    """PROTOCOL §6.5: entries[Σ_b 2^b·bit_b]."""
    n, N = len(entries), bits[0].a.size
    alpha = joint_index(bits, "a").astype(np.int64)
    rows = alpha[:, None] ^ np.arange(n)[None, :]
    return select(joint_index(bits, "l").astype(np.int64), to_ring(entries)[rows][:, :, None], ones(N), k)


def choice(bits, values, pick, raised=0):
    """
    PROTOCOL §6.6 as a table: the value that pick names for the joint bits; 255 is zero. In a sum over a ring wider by
    `raised`, the values count 2^raised times.
    """
    n, N, k = len(pick), bits[0].a.size if bits else values[0].a.size, values[0].k
    alpha, index = (joint_index(bits, part).astype(np.int64) if bits else np.zeros(N, np.int64) for part in "al")
    rows = np.arange(N)
    D = np.zeros((N, n, 1 + len(values)), U)
    for j in range(n):
        chosen = np.asarray(pick)[alpha ^ j]
        for v, value in enumerate(values):
            hit = chosen == v
            D[rows[hit], j, 0] = value.a[hit]
            D[rows[hit], j, 1 + v] = U(1)
    phi = np.stack([np.ones(N, U)] + [U(0) - value.l for value in values], 1) << U(raised)
    return index, D, phi, [k] * (1 + len(values))


def choose(bits, values, pick, **how):
    return select_sum([choice(bits, values, pick)], values[0].k, **how)


def choose_sum(choices, k):
    """A sum of choices (bits, values, pick) over Z_2^k. Values of shorter rings count as much more."""
    return select_sum([choice(*each, raised=k - each[1][0].k) for each in choices], k)


def widen(x, k2):
    """PROTOCOL §4.8, §5.2: Z_2^k → Z_2^k2 for |x| ≤ 2^(k−2)."""
    k, half = x.k, U(1 << (x.k - 2))
    shape = x.a.shape
    a, l = ((x.a + half) & mask(k)).reshape(-1), x.l.reshape(-1)
    # One entry, [msb a' = 0], on the basis msb λ2: for msb λ2 = 0 nothing wraps, so no entry is sent for it.
    D = (U(1) - (a >> U(k - 1))).reshape(a.size, 1, 1)
    wrap = select(np.zeros(a.size, np.int64), D, (l >> U(k - 1)).reshape(a.size, 1), k2 - k)
    fresh = draw((a.size,))
    # P1's part a' + (P1's part of wrap)·2^k − 2^(k−2), and P2's; P2 sends its part under a fresh λ2'.
    out = Shared(a + (wrap.a << U(k)) - half + fresh, l + (wrap.l << U(k)) + fresh, k2)
    return Shared(out.a.reshape(shape), out.l.reshape(shape), k2)


def truncate(x, s, k2=None):
    return widen(shift(x, s), x.k if k2 is None else k2)


def product(value, k=64, drop=0):
    """
    A fresh sharing of a product whose equation products.py checks (PROTOCOL §4.6). With `drop`, of its three parts,
    each rounded by its party (§5.5).
    """
    if drop == 0:
        return share(value, k)
    of_p0, of_p2 = draw(np.shape(value)), draw(np.shape(value))
    of_p1 = to_ring(value) - of_p0 - of_p2
    return share(up(of_p0, k, drop) + rounded(of_p2, k, drop, 0) + nearest(of_p1, k, drop), k - drop)


def fit_polynomial(f, centre, width, degree=3, nodes=24):
    """Least squares on the doubled interval, in δ/width on (−1, 1)."""
    u = np.cos(np.pi * (np.arange(nodes) + 0.5) / nodes)
    A = np.stack([u**q for q in range(degree + 1)], 1)
    return np.linalg.lstsq(A, f(centre + width * u), rcond=None)[0]


def power_basis(low, t, s2, degree=3):
    """φ of PROTOCOL §6.3: integers, the same at P0 and P2."""
    out = [np.full(low.shape, 1 << s2, dtype=U)]
    for p in range(1, degree + 1):
        shift_by = p * t - s2
        out.append(
            np.array([int(q) ** p >> shift_by if shift_by >= 0 else int(q) ** p << -shift_by for q in low], dtype=U)
        )
    return np.stack(out, 1)


def polynomial(x, C, t, s1, s2, k, **how):
    """PROTOCOL §6.3: a piecewise polynomial, C (n, degree + 1) in δ/2^t. Result at scale s1 + s2."""
    n, P = C.shape
    x = x.reduce(t + int(math.log2(n)))
    high, low = (x.a >> U(t)).astype(np.int64), (x.a & mask(t)).astype(float) / 2**t
    segment = (high[:, None] - np.arange(n)[None, :]) % n
    D = np.zeros(segment.shape + (P,))
    for p in range(P):
        for q in range(p, P):
            D[:, :, p] += C[segment][:, :, q] * math.comb(q, p) * low[:, None] ** (q - p) * (-1) ** p
    phi = power_basis(x.l & mask(t), t, s2, P - 1)
    return select((x.l >> U(t)).astype(np.int64), to_ring(np.rint(D * 2.0**s1)), phi, k, **how)


# Of degree 3, by the names that the vectors are made with.
fit_cubic, cubic_basis, cubic = fit_polynomial, power_basis, polynomial


TURN_BITS = 20


def cosine_terms(x, total, gate, k):
    """
    PROTOCOL §6.9 as a table: 2^v·(c + x) + Σ A cos θx, in one entry, or in two behind a shared bit.

    `total`: scale, shift v, c at the linear part's scale, and terms (j of 2^20 turns, A, s1, s2).
    """
    scale, v, constant, terms = total
    assert x.k >= max(k - v, TURN_BITS if terms else 0)
    N = x.a.size
    entries = [np.ones(N, np.int64)] if gate is None else [gate.a.astype(np.int64) ^ w for w in (0, 1)]
    words, phi = [x.a + to_ring(constant), np.full(N, mask(64))], [np.full(N, U(1) << U(v)), x.l << U(v)]
    widths = [k - v] * 2
    turn = lambda y, j: (y.astype(np.int64) * j % (1 << TURN_BITS)) * (2 * math.pi / (1 << TURN_BITS))
    for j, amplitude, s1, s2 in terms:
        lift = scale - s1 - s2
        for wave in (np.cos, np.sin):
            words.append(to_ring(np.rint(2.0**s1 * amplitude * wave(turn(x.a, j)))))
            phi.append(to_ring(np.rint(2.0**s2 * wave(turn(x.l, j)))) << U(lift))
            widths.append(k - lift)
    D = np.stack([np.stack([to_ring(g) * word for word in words], 1) for g in entries], 1)
    index = np.zeros(N, np.int64) if gate is None else gate.l.astype(np.int64)
    return index, D, np.stack(phi, 1), widths


def cosines(terms, k, **how):
    """The sum over terms (x, sum, gate)."""
    return select_sum([cosine_terms(*term, k) for term in terms], k, **how)


# An independent φ of the exponential: two tables of steps of 2^12 and of 4, which leave out the two lowest bits of ℓ.
COARSE = [round(math.exp(-i / 2**10 * 4) * 2**40) for i in range(2048)]
FINE = [round(math.exp(-i / 2**20 * 4) * 2**40) for i in range(1024)]


def exp_basis(low, s2):
    """round(2^s2·exp(−ℓ/2^20)) for 0 ≤ ℓ < 2^23, with ℓ cut to multiples of 4."""
    low = low.astype(np.int64)
    coarse, fine = np.array(COARSE, dtype=object)[low >> 12], np.array(FINE, dtype=object)[(low >> 2) & 1023]
    return np.array([(int(p) * int(q) + (1 << (79 - s2))) >> (80 - s2) for p, q in zip(coarse, fine)], dtype=U)


def exponential(x, gate, s1, s2, width=4, k=64, **how):
    """PROTOCOL §6.4: gate·exp(x) for x in Z_2^25 at scale 20, −32 < x < 0, in segments of 4 or 8. At scale s1 + s2."""
    N, n, bits = x.a.size, 32 // width, 20 + int(math.log2(width))
    high, low = (x.a >> U(bits)).astype(np.int64), (x.a & mask(bits)).astype(float) / 2**20
    D = np.zeros((N, 2 * n, 1), U)
    for j in range(n):
        i = (high - j) % n
        value = to_ring(np.rint(2.0**s1 * np.exp(np.where(i == 0, 0.0, float(width) * i - 32) + low)))
        for w in (0, 1):
            D[:, 2 * j + w, 0] = value * (gate.a ^ U(w))
    index = (x.l >> U(bits)).astype(np.int64) * 2 + gate.l.astype(np.int64)
    return select(index, D, exp_basis(x.l & mask(bits), s2)[:, None], k, **how)


def borrow(x, at, bits, leaf):
    """PROTOCOL §6.7: [a < λ2] or [a = λ2] on `bits` bits from bit `at` on."""
    n = 1 << bits
    a, l = ((x.a >> U(at)) & mask(bits)).astype(np.int64), ((x.l >> U(at)) & mask(bits)).astype(np.int64)
    entries = np.arange(n)[None, :]
    holds = a[:, None] < entries if leaf == "less" else a[:, None] == entries
    return select(l, holds.astype(U)[:, :, None], ones(x.a.size), 1)


SIGN = [
    ((j >> 3 & 1) | ((j >> 4 & 1) & ((j >> 1 & 1) | ((j >> 2 & 1) & (j & 1))))) ^ (j >> 5 & 1) for j in range(64)
]


def is_negative(x):
    """PROTOCOL §6.7: the sign of x in Z_2^25."""
    assert x.k == 25
    leaves = [borrow(x, 0, 8, "less"), borrow(x, 8, 8, "less"), borrow(x, 8, 8, "equal")]
    leaves += [borrow(x, 16, 8, "less"), borrow(x, 16, 8, "equal"), shift(x, 24)]
    return joint_table(leaves, SIGN, 1)


def is_negative_in(x):
    """PROTOCOL §6.7 in a short ring: one table of 2^(k−1) bits."""
    return borrow(x, 0, x.k - 1, "less") + shift(x, x.k - 1)


def signed_centre(i, n, width):
    return i * width if i < n // 2 else (i - n) * width


def periodic_cubic(f, n, width):
    """Coefficients of f on the period [−n·width/2, n·width/2)."""
    return np.stack([fit_cubic(f, signed_centre(i, n, width), width) for i in range(n)])
