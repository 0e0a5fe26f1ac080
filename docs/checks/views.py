# SPDX-License-Identifier: Apache-2.0
"""PROTOCOL §5 and §11: identities over whole toy rings, exact distributions of views, and what breaks without each rule."""
import random
from collections import Counter
from itertools import product

import numpy as np

from gadgets import U, draw, mask, select, share, shift, signed, truncate, widen


def check_shift():
    """Lemma 5.1, exhaustively in Z_2^7."""
    k, s = 7, 3
    for x, l in product(range(1 << k), repeat=2):
        a = (x + l) % (1 << k)
        got = ((a >> s) - (l >> s)) % (1 << (k - s))
        assert got == ((x + l % (1 << s)) >> s) % (1 << (k - s))
        assert got == ((x >> s) + int(a % (1 << s) < x % (1 << s))) % (1 << (k - s))


def check_widen():
    """Lemma 5.2, exhaustively in Z_2^8: exact for |x| ≤ 2^(k−2), and wrong for some mask just beyond."""
    k = 8

    def wrong(x):
        for l in range(1 << k):
            a = (x + (1 << (k - 2)) + l) % (1 << k)
            wrap = int(a >> (k - 1) == 0 and l >> (k - 1) == 1)
            if a - l + (wrap << k) - (1 << (k - 2)) != x:
                return True
        return False

    assert not any(wrong(x) for x in range(-(1 << (k - 2)), (1 << (k - 2)) + 1))
    assert wrong((1 << (k - 2)) + 1) and wrong(-(1 << (k - 2)) - 1)


def check_truncation():
    """§5.3 in Z_2^64: error in {0, 1} against the floor, unbiased, and wrong past the domain."""
    edges = [(1 << 62) - 1, -(1 << 62) + 1, 0, -1, 1]
    z = np.array(edges * 2000 + [int(v) for v in np.random.default_rng(2).integers(-(1 << 61), 1 << 61, 50000)])
    error = signed(truncate(share(z), 16)) - (z >> 16)
    assert error.min() == 0 and error.max() == 1
    mean = signed(shift(share(np.full(400000, 12345)), 16)).mean() * 65536
    assert abs(mean - 12345) < 300, mean
    outside = np.full(4000, 3 << 61)
    assert 0.2 < (np.abs(signed(truncate(share(outside), 16)) - (outside >> 16)) > 1).mean() < 0.3
    for k in (8, 12, 25):
        x = np.arange(-(1 << (min(k, 14) - 2)), (1 << (min(k, 14) - 2)) + 1)
        for _ in range(5):
            assert (signed(widen(share(x, k), 64)) == x).all()


def view_of_p2(x, l2, phi, with_r0=True):
    """All (e_0, e_1, B) of a selection of two entries over Z_8, with its pads and r0 running over everything."""
    M = 8
    a, c = (x + l2) % M, l2 >> 2
    D = [((a >> 2) ^ j) * 3 + (a & 3) for j in range(2)]
    zeros = range(M) if with_r0 else (0,)
    return Counter(
        ((D[0] + w0) % M, (D[1] + w1) % M, (-phi(l2) * (w1 if c else w0) - r0) % M)
        for w0, w1, r0 in product(range(M), range(M), zeros)
    )


def check_selection_views():
    """Lemma 11.2: the same distribution for every x, also where φ is not invertible; not without r0."""
    for phi in (lambda l: 2 * (l & 3) + 1, lambda l: l & 3):
        for l2 in range(8):
            assert all(view_of_p2(x, l2, phi) == view_of_p2(0, l2, phi) for x in range(8))
    assert any(view_of_p2(x, 1, lambda l: 1, False) != view_of_p2(0, 1, lambda l: 1, False) for x in range(8))


def check_widths():
    """§4.7, words of widths of their own: the result of full words, and views that a short pad on a full word spoils."""
    k, widths = 35, [22, 35, 31]
    D = draw((3000, 2, 3))
    phi = draw((3000, 3)) << np.array([k - w for w in widths], U)
    index = np.random.default_rng(4).integers(0, 2, 3000)
    got = select(index, D, phi & mask(k), k, widths)
    assert ((got.a - got.l) & mask(k) == (D[np.arange(3000), index] * phi).sum(1, dtype=U) & mask(k)).all()

    # One entry of one word D = x mod 8, of which φ = 4 leaves one bit: sent mod 2, or mod 8 under the same pad of one bit.
    def view(x, bits):
        return Counter(((x + w) % (1 << bits), (-4 * w - r0) % 8) for w, r0 in product(range(2), range(8)))

    assert all(view(x, 1) == view(0, 1) for x in range(8))
    assert any(view(x, 3) != view(0, 3) for x in range(8))


def check_short_selection():
    """§5.5 in Z_8: ⌊(f + ρ)/2^d⌋ with ρ uniform, and views that say nothing; an r0 or λ2' that lacks a bit does."""
    M = 8

    def run(x, l2, w, r0, d, fresh=0):
        e, phi = (3 * (x + l2) % M + w) % M, l2 & 3
        word = (((-w * phi) % M + (1 << d) - 1) % M >> d) - r0
        y = (e * phi % M >> d) + word
        return 3 * (x + l2) * phi % M, e, word % (M >> d), (y + r0) % (M >> d), (y + fresh) % (M >> d)

    for d in range(3):
        short = range(M >> d)
        for x, l2 in product(range(M), repeat=2):
            found = [run(x, l2, w, 0, d) for w in range(M)]
            f = found[0][0]
            assert sum((out - (f >> d)) % (M >> d) for _, _, _, out, _ in found) == M * (f % (1 << d)) // (1 << d)
        p2 = lambda x, zeros: Counter((l2, *run(x, l2, w, r0, d)[1:3]) for l2, w in product(range(M), repeat=2) for r0 in zeros)
        assert all(p2(x, short) == p2(0, short) for x in range(M))
        assert any(p2(x, short[::2]) != p2(0, short[::2]) for x in range(M))
        p1 = lambda x, masks: Counter(
            ((x + l2) % M, w, r0, run(x, l2, w, r0, d, fresh)[4])
            for l2, w in product(range(M), repeat=2)
            for r0, fresh in product(short, masks)
        )
        assert all(p1(x, short) == p1(0, short) for x in range(M))
        assert any(p1(x, short[::2]) != p1(0, short[::2]) for x in range(M))


def check_reshared_views():
    """Lemma 11.3: y = f + λ1 at P2 and a later lift under another λ1 say nothing together."""
    views = {
        f: Counter(((f + l1) % 8, (f + l2 + other) % 8) for l1, other, l2 in product(range(8), repeat=3)) for f in range(8)
    }
    assert all(view == views[0] for view in views.values())


def check_additive_shift():
    """Lemma 2.1, over all l2 of Z_2^7 and after a map by 12: right in the mean; two parts that are added are one too low."""
    k, s, M = 7, 4, 1 << 7
    near = lambda v: (v + (M >> s) // 2) % (M >> s) - (M >> s) // 2
    for x, w in product(range(-16, 17), (1, 3, 12)):
        if not -M // 4 <= x * w <= M // 4:
            continue
        one = [near(((x + l) * w % M >> s) - (l * w % M >> s) - (x * w >> s)) + (x * w >> s) for l in range(M)]
        two = [near(((x + l) * w % M >> s) + (-l * w % M >> s) - (x * w >> s)) + (x * w >> s) for l in range(M)]
        assert sum(one) * (1 << s) == x * w * M and all(abs(v * 16 - x * w) < 16 for v in one)
        assert sum(two) < sum(one)


def views_of_a_chain(x, unmasked=""):
    """§5.4 from Z_8 to Z_16 with a map by 3: all that P1 and that P2 see, over what each does not know."""
    N, M = 8, 16
    of_p1, of_p2 = Counter(), Counter()
    for l, r0, w in product(range(N), range(2), range(2)):
        a = (x + l) % N
        e = (int((a + 2) % N < 4) + w) % 2  # P1 → P2
        B = (-(l >> 2) * w - r0) % 2  # P0 → P2
        own1 = 3 * ((a + 2) % N + (r0 << 3) - 2) % M
        own2 = -3 * ((((l >> 2) * e + B) % 2 << 3) - l) % M
        assert (own1 - own2 - 3 * x) % M == 0
        for l1, l2, lz in product((0, 5, 11), range(M), range(M)):
            gamma2 = ((l1 + l2) ** 2 - 7) % M
            y = (own1 + l1 - own2) % M
            reshared = (0 if unmasked == "reshare" else l2) - own2
            message = y * y - l2 * l2 + gamma2 + (0 if unmasked == "product" else lz)
            of_p1[a, r0, w, l1, reshared % M, message % M] += 1
        for l1, gamma1 in product(range(M), range(M)):
            lift = own1 + (0 if unmasked == "lift" else l1)
            of_p2[l, e, B, lift % M, ((l1 + 9) ** 2 - gamma1) % M] += 1
    return of_p1, of_p2


def check_additive_views():
    """Lemma 5.6: alike for every x of the domain, and not without one of the three masks."""
    whole = [views_of_a_chain(x) for x in (-2, -1, 0, 1, 2)]
    assert all(view == whole[0] for view in whole)
    for unmasked, party in (("reshare", 0), ("product", 0), ("lift", 1)):
        assert views_of_a_chain(1, unmasked)[party] != views_of_a_chain(0, unmasked)[party]


def check_attacks():
    """What each rule of §11.1 is there for."""
    secret = random.SystemRandom()
    M = 1 << 64
    # Rule 1, a pad that comes twice: P2 reads both index words.
    n = 16
    table, pads = [secret.getrandbits(20) for _ in range(n)], [secret.getrandbits(64) for _ in range(n)]
    sent = [[(table[(a - j) % n] + pads[j]) % M for j in range(n)] for a in (5, 11)]
    difference = [(p - q) % M for p, q in zip(*sent)]
    found = [
        (p, q)
        for p, q in product(range(n), repeat=2)
        if p != q and [(table[(p - j) % n] - table[(q - j) % n]) % M for j in range(n)] == difference
    ]
    assert found == [(5, 11)]
    # Rule 2, a derived mask: m = a + λ1, then (a >> s) + (λ1 >> s), tell [a_lo > m_lo] of every element.
    s = 16
    x = share(np.random.default_rng(3).integers(0, 1 << 40, 20000))
    l1 = draw(x.a.shape)
    m, derived = x.a + l1, (x.a >> U(s)) + (l1 >> U(s))
    carry = ((m >> U(s)) - derived) & mask(48)
    assert ((carry == 1) == ((x.a & mask(s)) > (m & mask(s)))).all()
    # Rule 5, P2 forwards y = x + λ1 as it is: P1, who knows λ1, has x.
    value, l1 = 424242, secret.getrandbits(64)
    assert ((value + l1) % M - l1) % M == value
    # §6.8, a basis that is one off at P2: the result is wrong by a pad, a uniform word.
    pad, phi, r0, D = (secret.getrandbits(62) | 1 for _ in range(4))
    assert ((D + pad) * (phi + 1) + (-pad * phi - r0) + r0 - D * phi) % M == (D + pad) % M


def main():
    check_shift()
    check_widen()
    check_truncation()
    check_selection_views()
    check_widths()
    check_short_selection()
    check_reshared_views()
    check_additive_shift()
    check_additive_views()
    check_attacks()
    print("views: identities hold on whole rings, views are independent of the secret, and every attack works without its rule")


if __name__ == "__main__":
    main()
