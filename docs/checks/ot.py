# SPDX-License-Identifier: Apache-2.0
"""PROTOCOL §4.12 and §5.2: the OT extension at full size with ChaCha20, widenings by it in both directions, their views
enumerated, and what breaks without each rule. Written from the text, not from src/."""
import random
import struct
from collections import Counter
from itertools import product

from products import chacha_block, xor

TREES, LEAVES, DEPTH, SEED = 32, 16, 4, 32
ZERO = bytes(12)


def children(seed):
    block = chacha_block(seed, ZERO, 0)
    return [block[:SEED], block[SEED:]]


def grow(seed, levels):
    """Level by level, the root first."""
    tree = [[seed]]
    for _ in range(levels):
        tree.append([child for node in tree[-1] for child in children(node)])
    return tree


def siblings(root, hole):
    tree = grow(root, DEPTH)
    return [tree[level][hole >> DEPTH - level ^ 1] for level in range(1, DEPTH + 1)]


def all_but_one(path, hole):
    """The leaves of one tree that the sender can make, by number."""
    known = {}
    for level, seed in enumerate(path, 1):
        first = (hole >> DEPTH - level ^ 1) << DEPTH - level
        for i, leaf in enumerate(grow(seed, DEPTH - level)[-1]):
            known[first + i] = leaf
    assert set(known) == set(range(LEAVES)) - {hole}
    return known


def bit(seed, nonce, j):
    return chacha_block(seed, nonce, j >> 9)[(j & 511) >> 3] >> (j & 7) & 1


def pack(nibbles):
    return bytes(nibbles[2 * i] | nibbles[2 * i + 1] << 4 for i in range(TREES // 2))


def hashed(q, tweak, nonce, j):
    return struct.unpack("<Q", chacha_block(q + tweak, nonce, j)[:8])[0]


def setup():
    delta = [random.randrange(LEAVES) for _ in range(TREES)]
    roots = [random.randbytes(SEED) for _ in range(TREES)]
    paths = [siblings(root, hole) for root, hole in zip(roots, delta)]
    receiver = [grow(root, DEPTH)[-1] for root in roots]
    sender = [all_but_one(path, hole) for path, hole in zip(paths, delta)]
    return delta, receiver, sender, paths


def receive(leaves, tweak, nonce, j, c):
    """d, and w_c."""
    d, v = 0, [0] * TREES
    for i, tree in enumerate(leaves):
        bits = [bit(leaf, nonce, j) for leaf in tree]
        d |= (sum(bits) & 1 ^ c) << i
        for x, r in enumerate(bits):
            v[i] ^= x * r
    return d, hashed(pack(v), tweak, nonce, j), pack(v)


def send(leaves, delta, tweak, nonce, j, d):
    """w_0 and w_1."""
    q = [0] * TREES
    for i, tree in enumerate(leaves):
        for x, leaf in tree.items():
            q[i] ^= (x ^ delta[i]) * bit(leaf, nonce, j)
        q[i] ^= delta[i] * (d >> i & 1)
    both = pack(q), xor(pack(q), pack(delta))
    return [hashed(one, tweak, nonce, j) for one in both], pack(q)


def check_extension():
    """q = v ⊕ Δ·c, w_c is one of the sender's words and not the other, and 4 KB of siblings."""
    delta, receiver, sender, paths = setup()
    assert sum(len(seed) for path in paths for seed in path) == 4096
    tweak, nonce = random.randbytes(16), random.randbytes(12)
    for j in (0, 1, 31, 32, 511, 512, 5000):
        for c in (0, 1):
            d, own, v = receive(receiver, tweak, nonce, j, c)
            words, q = send(sender, delta, tweak, nonce, j, d)
            assert xor(q, v) == (pack(delta) if c else bytes(16))
            assert own == words[c] != words[1 - c]
    # Another address, other pads.
    other = random.randbytes(12)
    assert receive(receiver, tweak, nonce, 3, 0)[1] != receive(receiver, tweak, other, 3, 0)[1]


def check_siblings_tell_delta():
    """Whoever has roots and siblings reads Δ: why P0 sends them under a pad of the sender's key."""
    delta, receiver, _, paths = setup()
    for i in range(TREES):
        holes = [x for x in range(LEAVES) if receiver[i][x ^ 1] == paths[i][-1]]
        assert holes == [delta[i]]


# ── widenings, with an ideal extension: d = u ⊕ c, and words w_0, w_1 of which the receiver lacks one ──────────────


K, Q = 3, 4
M = 1 << K


def forward(x, l, u, w0, w1):
    """P2 receives with msb λ2. Gives both views and the result."""
    a = (x + l) % M
    c, one = l >> K - 1, int((a + M // 4) % M >> K - 1 == 0)
    e = (one + w0 - w1) % Q
    y = (c * e + (w1 if c else w0)) % Q  # wrap + w_0
    value = ((a + M // 4) % M - M // 4 - l + M * (y - w0)) % (M * Q)
    return (a, u ^ c, w0, w1), (l, u, e, w1 if c else w0), value


def reversed_(f, r0, u, w0, w1):
    """P1 receives with msb r0; P2 has y = f − r0. The wrap of y + r0 is msb y ∨ msb r0 for 0 ≤ f < 2^(k−1)."""
    y, c = (f - r0) % M, r0 >> K - 1
    b = y >> K - 1
    e = (1 - b + w0 - w1) % Q
    part = (c * e + (w1 if c else w0)) % Q  # c·(1 − b) + w_0
    value = (y + r0 - M * (b + part - w0)) % (M * Q)
    return (r0, u, e, w1 if c else w0), (y, u ^ c, w0, w1), value


def dealt(f, r0, z, t):
    """The same with words of the dealer: z and t at P2, z − c·t at P1. What P2 would see of it comes last."""
    y, c = (f - r0) % M, r0 >> K - 1
    b, own = y >> K - 1, (z - c * t) % Q
    e = (1 - b + t) % Q
    value = (y + r0 - M * (b + c * e + own - z)) % (M * Q)
    return (r0, own, e), (y, z, t), value, (y, z, t, own)


def dealt_views(f, which, hide="zt"):
    """`hide`: the masks that are there."""
    out = Counter()
    for r0, z, t in product(range(M), range(Q), range(Q)):
        out[dealt(f, r0, z if "z" in hide else 0, t if "t" in hide else 0)[which]] += 1
    return out


def check_dealt():
    """A selection that is widened at once with words of the dealer: exact, both views alike, and not without a mask."""
    domain = range(-1, 4)
    assert all(dealt(f, *r)[2] == f % (M * Q) for f in domain for r in product(range(M), range(Q), range(Q)))
    for which in (0, 1):
        assert all(dealt_views(f, which) == dealt_views(0, which) for f in domain)
    for hide in ("z", "t"):
        assert dealt_views(1, 0, hide) != dealt_views(0, 0, hide)
    # P0's word to P1 would tell P2 the value.
    assert dealt_views(1, 3) != dealt_views(0, 3)


def views(run, x, party, tell=False):
    out = Counter()
    for l, u, w0, w1 in product(range(M), (0, 1), range(Q), range(Q)):
        view = run(x, l, 0 if tell else u, w0, w1)
        out[view[party - 1]] += 1
    return out


def exact(run, x):
    return all(run(x, l, 0, w0, w1)[2] == x % (M * Q) for l, w0, w1 in product(range(M), range(Q), range(Q)))


def check_widenings():
    for run, domain, beyond in ((forward, range(-2, 3), (3, -3)), (reversed_, range(-1, 4), (-2, 4))):
        assert all(exact(run, x) for x in domain)
        assert not any(exact(run, x) for x in beyond)
        for party in (1, 2):
            assert all(views(run, x, party) == views(run, 0, party) for x in domain)
    # Controls: d that shows the choice tells P1 of a forward widening, and P2 of a reversed one.
    assert views(forward, 1, 1, tell=True) != views(forward, 0, 1, tell=True)
    assert views(reversed_, 1, 2, tell=True) != views(reversed_, 0, 2, tell=True)


def check_repeats():
    """An address of two draws gives P1 d ⊕ d' = c ⊕ c'; one OT of two words gives P2 their difference."""

    def steps(x, other):
        return Counter(
            ((x + l) % M, (other + m) % M, l >> K - 1 ^ m >> K - 1) for l, m in product(range(M), repeat=2)
        )

    assert steps(0, 0) != steps(1, 0)

    def words(bits, shared):
        out = Counter()
        for c, p0, p1, q0, q1 in product((0, 1), *(range(Q),) * 4):
            r0, r1 = (p0, p1) if shared else (q0, q1)
            first, second = (bits[0] + p0 - p1) % Q, (bits[1] + r0 - r1) % Q
            out[c, first, second, p1 if c else p0, r1 if c else r0] += 1
        return out

    assert words((0, 1), False) == words((1, 1), False)
    assert words((0, 1), True) != words((1, 1), True)


def main():
    check_extension()
    check_siblings_tell_delta()
    check_widenings()
    check_dealt()
    check_repeats()
    print("ot: the extension at full size, widenings both ways with their views, and what repeats would tell")


if __name__ == "__main__":
    main()
