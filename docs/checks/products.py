# SPDX-License-Identifier: Apache-2.0
"""PROTOCOL §4.2–§4.6, §4.13: products, sums of gated values, lifts, affine maps and the look-up of a secret row, in plain integers."""
import random
import struct

random_word = random.SystemRandom().getrandbits
M = 1 << 64


def word(k=64):
    return random_word(k)


def check_product():
    """§4.6: one word of P0, one word P2 → P1."""
    for _ in range(1000):
        x, y, l1x, l2x, l1y, l2y, gamma1, fresh = (word() for _ in range(8))
        ax, ay, yx, yy = x + l2x, y + l2y, x + l1x, y + l1y
        gamma2 = (l1x + l2x) * (l1y + l2y) - gamma1  # P0 → P2
        message = (yx * yy - l2x * l2y + gamma2 + fresh) % M  # P2 → P1
        a = message - l1x * (ay + l1y) - (ax + l1x) * l1y + gamma1
        assert (a - fresh - x * y) % M == 0


def check_short_product():
    """§5.5: the same, each part rounded by d bits where it is made; Γ1 and λ2' are drawn over k − d bits."""
    up, nearest = (1 << 12) - 1, 1 << 11
    k, d = 40, 12
    M, short = 1 << k, 1 << (k - d)
    signed_short = lambda v: v % short - (short if v % short >> (k - d - 1) else 0)

    def error(round_p0, round_p1):
        x, y = (word(14) - (1 << 13) for _ in range(2))
        l1x, l2x, l1y, l2y = (word(k) for _ in range(4))
        gamma1, fresh = word(k - d), word(k - d)
        ax, ay, yx, yy = x + l2x, y + l2y, x + l1x, y + l1y
        gamma2 = (((l1x + l2x) * (l1y + l2y) + round_p0) % M >> d) - gamma1
        message = ((yx * yy - l2x * l2y) % M >> d) + gamma2 + fresh
        a = message + ((-l1x * (ay + l1y) - (ax + l1x) * l1y + round_p1) % M >> d) + gamma1
        return signed_short(a - fresh) - x * y / (1 << d)

    found = [error(up, nearest) for _ in range(40000)]
    assert max(abs(e) for e in found) < 1.5 and abs(sum(found) / len(found)) < 0.02
    # Any other rounding of P0's or P1's part leaves a bias of half an ulp.
    for other in ((nearest, nearest), (up, 0)):
        assert abs(sum(error(*other) for _ in range(10000)) / 10000 + 0.5) < 0.03


def check_affine():
    """§4.3 and §4.4: x·W with open weights, and with W = M − L1 − L2."""
    for _ in range(1000):
        x, w, l1, l2, L1, L2, gamma1, fresh = (word() for _ in range(8))
        a, own = (x + l2) * w, l2 * w  # P1 and P2: no message, an additive wire
        assert (a - own - x * w) % M == 0
        assert (a + (fresh - own) - fresh - x * w) % M == 0  # §4.11: P2 → P1 fresh − own
        masked = w + L1 + L2
        gamma2 = (l1 + l2) * (L1 + L2) - gamma1  # P0 → P2
        own = -((x + l1) * (masked - L2) - l2 * L2 + gamma2)  # P2: no message either
        a = (gamma1 - l1 * masked) - (x + l2 + l1) * L1
        assert (a - own - x * w) % M == 0
        assert (a + (fresh - own) - fresh - x * w) % M == 0


def check_upper_bits():
    """§4.11: of a widening the upper bits are re-shared, and the masks keep the lower ones."""
    for k, k2 in ((8, 16), (23, 64), (34, 52)):
        for _ in range(1000):
            x, l2, r0, nu = word(k - 1) - (1 << (k - 2)), word(k), word(k2 - k), word(k2 - k)
            shifted = (x + l2 + (1 << (k - 2))) % (1 << k)
            wrap = int(shifted >> (k - 1) == 0 and l2 >> (k - 1) == 1)
            of_p1 = shifted + (r0 << k) - (1 << (k - 2))
            kept = (l2 - ((wrap - r0) << k)) % (1 << k2)  # P2's part, negated
            fresh = l2 + (nu << k)
            assert (l2 - kept) % (1 << k) == 0
            message = (((l2 - kept) % (1 << k2) >> k) + nu) % (1 << (k2 - k))  # P2 → P1
            assert (of_p1 + (message << k) - (x + fresh)) % (1 << k2) == 0


def check_gated_sum():
    """§4.13: Π b_i·v from m of all factors, which both have, and words of P0 for every set of bits but the empty one."""
    for turn in range(3000):
        count, k = 1 + turn % 3, (1, 8, 48)[turn // 3 % 3]
        M = 1 << k
        bits, l1b, l2b = ([word(1) for _ in range(count)] for _ in range(3))
        v, l1, l2, fresh = (word(k) for _ in range(4))
        m = [b ^ l1 ^ l2 for b, l1, l2 in zip(bits, l1b, l2b)]
        y, m_v = v + l1, v + l1 + l2
        p1 = p2 = 0
        for subset in range(1 << count):
            inside = [i for i in range(count) if subset >> i & 1]
            c = sigma = 1
            for i in range(count):
                c *= 1 - 2 * m[i] if i in inside else m[i]
            for i in inside:
                sigma *= l1b[i] ^ l2b[i]
            if subset == 0:
                p1, p2 = p1 - c * l1, p2 + c * y
                continue
            u, w = word(k), word(k)
            p1 += c * (u * m_v - w)
            p2 += c * ((sigma - u) * m_v - (sigma * (l1 + l2) - w))
        message = (p2 + fresh) % M  # P2 → P1
        assert (message + p1 - fresh - (v if all(bits) else 0)) % M == 0


def check_lift():
    """§4.5 and §5.4: the lift of a widened and mapped value travels with the table of the widening, and its product next."""
    for k, k2 in ((8, 16), (25, 64), (48, 64)):
        for _ in range(1000):
            x = word(k - 1) - (1 << (k - 2))
            l2, r0, l1 = word(k), word(64), word(64)
            shifted = (x + l2 + (1 << (k - 2))) % (1 << k)
            wrap = int(shifted >> (k - 1) == 0 and l2 >> (k - 1) == 1)
            of_p1 = shifted + (r0 << k) - (1 << (k - 2))
            of_p2 = ((wrap - r0) << k) - l2
            assert (of_p1 + of_p2 - x) % (1 << k2) == 0
            assert (of_p1 + l1 + of_p2 - (x + l1)) % (1 << k2) == 0  # what P2 holds: y
            w, fresh, product_fresh, gamma1 = word(20), word(), word(), word()
            a, own = of_p1 * w, -of_p2 * w  # what P2 keeps is the negative of its part
            y, reshared = a + l1 - own, a + (fresh - own)
            gamma2 = (l1 + fresh) ** 2 - gamma1
            message = y * y - fresh * fresh + gamma2 + product_fresh
            square = message - 2 * l1 * (reshared + l1) + gamma1 - product_fresh
            assert (square - (x * w) ** 2) % (1 << k2) == 0


# ── the distributed point function of §4.2, with ChaCha20 (RFC 8439) as its PRG ──────────────────────────────────


def chacha_block(key, nonce, counter):
    state = list(struct.unpack("<16I", b"expand 32-byte k" + key + struct.pack("<I", counter) + nonce))
    words = state[:]
    rotate = lambda v, n: (v << n | v >> (32 - n)) & 0xFFFFFFFF

    def quarter(a, b, c, d):
        for p, q, r, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            words[p] = (words[p] + words[q]) & 0xFFFFFFFF
            words[r] = rotate(words[r] ^ words[p], n)

    for _ in range(10):
        for i in range(4):
            quarter(i, 4 + i, 8 + i, 12 + i)
        for i in range(4):
            quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(words, state)))


def expand(seed, tweak, level):
    """Left and right seed, left and right bit, output word."""
    out = chacha_block(seed + tweak, struct.pack("<III", level, 0, 0), 0)
    return (out[:16], out[32] & 1), (out[16:32], out[33] & 1), struct.unpack("<Q", out[40:48])[0]


def xor(p, q):
    return bytes(a ^ b for a, b in zip(p, q))


def generate(alpha, depth, seeds, tweak):
    """Boyle, Gilboa, Ishai (ePrint 2018/707), figure 1, payload 1 over Z_2^64."""
    keys = [seed + tweak + bytes([party]) for party, seed in enumerate(seeds)]
    nodes = [(seed, party) for party, seed in enumerate(seeds)]
    for level in range(depth):
        keep = alpha >> (depth - 1 - level) & 1
        blocks = [expand(seed, tweak, level) for seed, _ in nodes]
        correction = xor(blocks[0][1 - keep][0], blocks[1][1 - keep][0])
        bits = [blocks[0][side][1] ^ blocks[1][side][1] ^ int(side == keep) for side in (0, 1)]
        keys = [key + correction + bytes([bits[0] | bits[1] << 1]) for key in keys]
        nodes = [
            (xor(blocks[p][keep][0], correction), blocks[p][keep][1] ^ bits[keep]) if nodes[p][1] else blocks[p][keep]
            for p in (0, 1)
        ]
    words = [expand(seed, tweak, depth)[2] for seed, _ in nodes]
    final = (words[0] - words[1] - 1 if nodes[1][1] else 1 - words[0] + words[1]) % M
    return [key + struct.pack("<Q", final) for key in keys]


def evaluate(key, depth, count):
    tweak, party = key[16:32], key[32]
    nodes = [(key[:16], party)]
    for level in range(depth):
        correction, bits = key[33 + 17 * level :][:16], key[49 + 17 * level]
        children = []
        for seed, bit in nodes:
            block = expand(seed, tweak, level)
            for side in (0, 1):
                child = block[side]
                if bit:
                    child = (xor(child[0], correction), child[1] ^ (bits >> side & 1))
                children.append(child)
        nodes = children
    final = struct.unpack("<Q", key[33 + 17 * depth :])[0]
    values = [(expand(seed, tweak, depth)[2] + bit * final) % M for seed, bit in nodes[:count]]
    return [value if party == 0 else -value % M for value in values]


def check_lookup():
    """§4.2: the keys expand to a sharing of e_t, and the row comes out, with open and with secret weights."""
    V, depth, cols = 37, 6, 3
    for t in (0, 5, 36):
        keys = generate(t, depth, [random.randbytes(16), random.randbytes(16)], random.randbytes(16))
        assert all(len(key) == 41 + 17 * depth for key in keys)
        y1, y2 = (evaluate(key, depth, V) for key in keys)
        assert [(p + q) % M for p, q in zip(y1, y2)] == [int(i == t) for i in range(V)]
        E = [[word(20) for _ in range(cols)] for _ in range(V)]
        L1, L2 = ([[word() for _ in range(cols)] for _ in range(V)] for _ in range(2))
        for j in range(cols):
            column = [row[j] for row in E]
            dot = lambda y, values: sum(p * q for p, q in zip(y, values))
            gamma1 = word()
            assert (dot(y1, column) - (-dot(y2, column)) - column[t]) % M == 0
            masked = [E[i][j] + L1[i][j] + L2[i][j] for i in range(V)]
            gamma2 = -(L1[t][j] + L2[t][j]) - gamma1  # P0 → P2
            a, own = dot(y1, masked) + gamma1, -(dot(y2, masked) + gamma2)
            assert (a - own - column[t]) % M == 0


def main():
    check_product()
    check_short_product()
    check_affine()
    check_upper_bits()
    check_gated_sum()
    check_lift()
    check_lookup()
    print("products: products, affine maps, lifts and look-ups give what they say")


if __name__ == "__main__":
    main()
