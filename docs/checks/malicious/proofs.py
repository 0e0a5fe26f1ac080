# SPDX-License-Identifier: Apache-2.0
"""PROTOCOL §15: a proof with every byte, written from the text and not from src/.

What the engine never writes down stands here in full: vectors of the inner product with one place for every index of
a table and every entry of a choice, folded literally. `export_vectors` gives the messages that Tercet must send."""
import hashlib
import hmac
import random
import struct
from math import ceil, log2

from products import chacha_block

PROOF_WORDS = dict(rows=1, columns=2, prime=3, rowCoefficients=4, columnCoefficients=5, alpha=6, beta=7, claim=8,
                   share=9, blindV=10, blindW=11, seal=12)
RADIX = 8


# ---- draws

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hkdf(key, salt, info):
    """RFC 5869 with SHA-256, one block."""
    return hmac.digest(hmac.digest(salt, key, "sha256"), info + b"\x01", "sha256")


def stream_bytes(key, nonce, length):
    return b"".join(chacha_block(key, nonce, i) for i in range(ceil(length / 64)))[:length]


def words(key, nonce, k, count):
    size = 4 if k <= 32 else 8
    data = stream_bytes(key, nonce, size * count)
    return [int.from_bytes(data[size * i:size * i + size], "little") & ((1 << k) - 1) for i in range(count)]


class Place:
    def __init__(self, session, proof, segment):
        self.session, self.proof, self.segment = session, proof, segment
        self.bytes = struct.pack("<BH", proof, segment)

    def key(self, use, pair):
        return hkdf(pair, self.session, f"tercet/1 proof {use} ".encode() + self.bytes)

    def hash(self, label, data):
        return sha(f"tercet/1 proof {label} ".encode(), self.bytes, self.session, data)

    def nonce(self, purpose, stage, prime=0, number=0):
        return struct.pack("<BBHHBBI", self.proof, prime, self.segment, stage, PROOF_WORDS[purpose], 0, number)


def elements(key, nonce, count, q):
    flat = words(key, nonce, 64, 2 * count)
    return [(flat[2 * i] + (flat[2 * i + 1] << 64)) % q for i in range(count)]


def is_prime(n):
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
    if n < 2 or any(n % p == 0 for p in bases):
        return n in bases
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(pow(a, odd, n) == 1 or any(pow(a, odd << r, n) == n - 1 for r in range(twos)) for a in bases)


# ---- statements. A relation is a dict with kind, shape, and the halves v and w

def steps_of(bits):
    return [min(RADIX, 1 << bits - at) for at in range(0, bits, 3)]


def radices(rel):
    if rel["kind"] == "table":
        return steps_of(rel["bits"]) + steps_of(rel["xorBits"])
    return steps_of(ceil(log2(rel["n"]))) if rel["kind"] == "choice" else []


def minus(rel, g, h):
    """g ⊖ h: the low bits by exclusive or, the others by subtraction."""
    x, b = rel["xorBits"], rel["bits"]
    return (((g >> x) - (h >> x)) % (1 << b)) << x | (g ^ h) & ((1 << x) - 1)


def order(rel):
    """The indices of a table in the order in which the fold takes their digits: the first digit varies fastest."""
    b, x = rel["bits"], rel["xorBits"]
    return [(i & (1 << b) - 1) << x | i >> b for i in range(1 << b + x)]


def columns_of(rel):
    if rel["kind"] == "matrix":
        return rel["columns"]
    return rel["n"] * len(rel["widths"]) if rel["kind"] == "table" else 1


def rows_of(rel):
    return rel["rows"] if rel["kind"] == "matrix" else rel["elements"]


def widths_of(rel):
    """The modulus of every column, in bits."""
    if rel["kind"] == "table":
        return rel["widths"] * rel["n"]
    return [rel["k"]] * columns_of(rel)


def linear(rel, side):
    """What is linear in the relation and known to one side, with its sign."""
    if rel["kind"] == "table":
        return [-z for z in rel["v"]["e"]] if side == "v" else rel["w"]["w"]
    return rel["v"]["a"] if side == "v" else rel["w"]["b"]


def products(rel):
    """The product part of every row and column, as integers: what a claim is about."""
    v, w, out = rel["v"], rel["w"], []
    if rel["kind"] == "matrix":
        for i in range(rel["rows"]):
            for g in range(rel["columns"]):
                total = 0
                for term, mine, other in zip(rel["terms"], v["factors"], w["factors"]):
                    left, right = (mine, other) if term["left"] == "V" else (other, mine)
                    inner = sum(left[i * term["inner"] + j] * right[j * rel["columns"] + g] for j in range(term["inner"]))
                    total += -inner if term["negative"] else inner
                out.append(total)
    elif rel["kind"] == "table":
        for i in range(rel["elements"]):
            d = minus(rel, v["index"][i], w["index"][i])
            for c in range(columns_of(rel)):
                out.append(sum(p[i] * q[i] * rel["functions"][f][d][c]
                               for f, p, q in zip(rel["terms"], v["factors"], w["factors"])))
    else:
        P = len(rel["widths"])
        for i in range(rel["elements"]):
            at = (i * rel["n"] + w["choice"][i]) * P
            out.append(sum(v["entries"][at + p] * w["basis"][i * P + p] for p in range(P)))
    return out


def holds(rel):
    sums = [p + a + b for p, a, b in zip(products(rel), linear(rel, "v"), linear(rel, "w"))]
    widths = widths_of(rel)
    return all(z % (1 << widths[i % len(widths)]) == 0 for i, z in enumerate(sums))


# ---- challenges

class Challenges:
    def __init__(self, place, rels, params, pair_vw):
        self.place, self.rels, self.params = place, rels, params
        scalars = sum(scalar_count(rel) for rel in rels)
        self.digits = max(len(radices(rel)) for rel in rels)
        self.tail = 1
        while scalars > RADIX:
            scalars, self.tail = ceil(scalars / RADIX), self.tail + 1
        self.rounds = self.digits + self.tail
        self.stages = 2 + self.rounds
        self.seeds = [place.key("chain", pair_vw)]
        for _ in range(self.stages):
            self.seeds.insert(0, sha(self.seeds[0]))

    def key(self, stage):
        return self.place.hash(f"stage {stage}", self.seeds[stage])

    def bits(self, purpose, number, count):
        return words(self.key(1), self.place.nonce(purpose, 1, 0, number), self.params["sigma"], count)

    def x(self, index):
        return self.bits("rows", index, rows_of(self.rels[index]))

    def v(self, index):
        rel = self.rels[index]
        if columns_of(rel) == 1:
            return [1]
        same = [i for i, other in enumerate(self.rels) if rel["kind"] == "table" and other.get("id") == rel["id"]]
        return self.bits("columns", same[0] if same else index, columns_of(rel))

    def prime(self, prime):
        key, sigma, top = self.key(2), self.params["sigma"], 1 << self.params["primeBits"] - 1
        drawn = words(key, self.place.nonce("prime", 2, prime), 64, 1024)
        q = next(c for c in (top | w % top | 1 for w in drawn) if is_prime(c))
        return (q, elements(key, self.place.nonce("rowCoefficients", 2, prime), sigma, q),
                elements(key, self.place.nonce("columnCoefficients", 2, prime), sigma, q))

    def width(self, rd):
        return RADIX + 1 if rd == self.rounds - 1 else RADIX

    def fold(self, rd, prime, q):
        draw = lambda purpose: [1] + elements(self.key(3 + rd), self.place.nonce(purpose, 3 + rd, prime), self.width(rd) - 1, q)
        return draw("alpha"), draw("beta")


def scalar_count(rel):
    if rel["kind"] == "matrix":
        return sum(term["inner"] for term in rel["terms"])
    return rel["elements"] * (len(rel["terms"]) if rel["kind"] == "table" else len(rel["widths"]))


def compress(values, x, v, columns, sigma):
    """Xᵀ·values·V in the integers."""
    bit = lambda word, t: word >> t & 1
    return [sum(bit(x[i], t) * bit(v[c], k) * values[i * columns + c] for i in range(len(x)) for c in range(columns))
            for t in range(sigma) for k in range(sigma)]


def scaled(rel, values):
    """Every word lifted to the top of 64 bits."""
    widths = widths_of(rel)
    return [z << 64 - widths[i % len(widths)] for i, z in enumerate(values)]


def compressed_factors(rel, t, x, v, sigma):
    """XᵀL and RV mod 2^k of a term: these integers are what the inner product has."""
    term, cut = rel["terms"][t], (1 << rel["k"]) - 1
    mine, other = rel["v"]["factors"][t], rel["w"]["factors"][t]
    left, right = (mine, other) if term["left"] == "V" else (other, mine)
    n = term["inner"]
    A = [[sum((x[i] >> s & 1) * left[i * n + j] for i in range(rel["rows"])) & cut for j in range(n)] for s in range(sigma)]
    B = [[sum(right[j * rel["columns"] + c] * (v[c] >> s & 1) for c in range(rel["columns"])) & cut for s in range(sigma)]
         for j in range(n)]
    return A, B


def claims(rels, ch):
    sigma = ch.params["sigma"]
    total = [0] * sigma ** 2
    for index, rel in enumerate(rels):
        x, v = ch.x(index), ch.v(index)
        if rel["kind"] == "matrix":
            for t, term in enumerate(rel["terms"]):
                A, B = compressed_factors(rel, t, x, v, sigma)
                sign = (-1 if term["negative"] else 1) << 64 - rel["k"]
                for s in range(sigma):
                    for k in range(sigma):
                        total[s * sigma + k] += sign * sum(A[s][j] * B[j][k] for j in range(term["inner"]))
        else:
            part = compress(scaled(rel, products(rel)), x, v, columns_of(rel), sigma)
            total = [a + b for a, b in zip(total, part)]
    return total


def side_identity(rels, ch, side):
    sigma = ch.params["sigma"]
    total = [0] * sigma ** 2
    for index, rel in enumerate(rels):
        part = compress(scaled(rel, linear(rel, side)), ch.x(index), ch.v(index), columns_of(rel), sigma)
        total = [(a + b) % (1 << 64) for a, b in zip(total, part)]
    return total


def vectors(rels, ch, prime):
    """Both vectors of the inner product, as items: an item has one place for every index or entry."""
    q, s, t = ch.prime(prime)
    bit = lambda word, n: word >> n & 1
    out = []
    for index, rel in enumerate(rels):
        x, v = ch.x(index), ch.v(index)
        F = [sum(c * bit(row, n) for n, c in enumerate(s)) for row in x]
        if rel["kind"] == "matrix":
            for n, term in enumerate(rel["terms"]):
                A, B = compressed_factors(rel, n, x, v, len(s))
                sign = (-1 if term["negative"] else 1) << 64 - rel["k"]
                for j in range(term["inner"]):
                    left, right = sum(c * A[i][j] for i, c in enumerate(s)), sum(c * B[j][i] for i, c in enumerate(t))
                    mine, other = (left, right) if term["left"] == "V" else (right, left)
                    out.append(([sign * mine % q], [other % q]))
        elif rel["kind"] == "table":
            up = scaled(rel, [sum(c * bit(word, n) for n, c in enumerate(t)) for word in v])
            hats = [[sum(a * b for a, b in zip(up, row)) % q for row in f] for f in rel["functions"]]
            for f, p, r in zip(rel["terms"], rel["v"]["factors"], rel["w"]["factors"]):
                for i in range(rel["elements"]):
                    mu, nu = rel["v"]["index"][i], rel["w"]["index"][i]
                    U = [F[i] * p[i] % q if h == mu else 0 for h in order(rel)]
                    out.append((U, [r[i] * hats[f][minus(rel, h, nu)] % q for h in order(rel)]))
        else:
            P, n, whole = len(rel["widths"]), rel["n"], 1 << ceil(log2(rel["n"]))
            up = t[0] << 64 - rel["k"]
            for i in range(rel["elements"]):
                for p in range(P):
                    U = [F[i] * up * rel["v"]["entries"][(i * n + j) * P + p] % q if j < n else 0 for j in range(whole)]
                    phi = rel["w"]["basis"][i * P + p] % q
                    out.append((U, [phi if j == rel["w"]["choice"][i] else 0 for j in range(whole)]))
    return out, [radices(rel) for rel in rels for _ in range(scalar_count(rel))]


def blocks(values, radix):
    """Block a: the places whose first digit is a."""
    return [values[a::radix] for a in range(radix)]


def cross(left, right, q):
    return [[sum(x * y for x, y in zip(l, r)) % q for r in right] for l in left]


def fold(parts, coefficients, q):
    return [sum(c * part[i] for c, part in zip(coefficients, parts)) % q for i in range(len(parts[0]))]


def padded(values, radix):
    return values + [0] * (-len(values) % radix)


class Run:
    """All messages of a proof whose prover is honest, and what the verifiers find."""

    def __init__(self, rels, params, place, keys):
        self.ch = ch = Challenges(place, rels, params, keys["vw"])
        sigma, size = params["sigma"], params["maskBits"] // 32
        share = place.key("share", keys["pw"])
        flat = words(share, place.nonce("claim", 1), 32, sigma ** 2 * size)
        masks = [sum(flat[i * size + w] << 32 * w for w in range(size)) for i in range(sigma ** 2)]
        sent = [c + m for c, m in zip(claims(rels, ch), masks)]
        assert all(0 <= c < 1 << params["maskBits"] for c in sent)
        self.messages = [b"".join(c.to_bytes(4 * size, "little") for c in sent)]
        E = [side_identity(rels, ch, side) for side in "vw"]
        pack = lambda values: struct.pack(f"<{len(values)}Q", *(z % (1 << 64) for z in values))
        identity = place.hash("identity", pack([m - e for m, e in zip(masks, E[1])]))
        self.identity_holds = identity == place.hash("identity", pack([c + e for c, e in zip(sent, E[0])]))
        ends, self.ends_meet, rounds = [], True, [b""] * ch.rounds
        for prime in range(params["primes"]):
            q, s, t = ch.prime(prime)
            blind = [elements(place.key("blind", keys["pv"]), place.nonce("blindV", 2, prime), 1, q)[0],
                     elements(share, place.nonce("blindW", 2, prime), 1, q)[0]]
            both = [sum(s[i // sigma] * t[i % sigma] * c for i, c in enumerate(side)) % q for side in (sent, [-m for m in masks])]
            items, digits = vectors(rels, ch, prime)
            flat = None
            for rd in range(ch.rounds):
                alpha, beta = ch.fold(rd, prime, q)
                last, n = rd == ch.rounds - 1, ch.width(rd)
                z = [[0] * n for _ in range(n)]
                if rd < ch.digits:
                    for i, (U, W) in enumerate(items):
                        radix = digits[i][rd] if rd < len(digits[i]) else 1
                        left, right = blocks(U, radix), blocks(W, radix)
                        for a, row in enumerate(cross(left, right, q)):
                            for b, value in enumerate(row):
                                z[a][b] = (z[a][b] + value) % q
                        items[i] = fold(left, alpha, q), fold(right, beta, q)
                else:
                    if flat is None:
                        assert all(len(U) == 1 for U, _ in items)
                        flat = [U[0] for U, _ in items] or [0], [W[0] for _, W in items] or [0]
                    left, right = (blocks(padded(side, RADIX), RADIX) for side in flat)
                    if last:
                        left, right = [[blind[0]]] + left, [[blind[1]]] + right
                    z = cross(left, right, q)
                    flat = fold(left, alpha, q), fold(right, beta, q)
                derived = 1 if last else 0
                of_w = elements(share, place.nonce("share", 3 + rd, prime), n * n, q)
                halves = [[(z[a][b] - of_w[a * n + b]) % q for b in range(n)] for a in range(n)], [of_w[a * n:a * n + n] for a in range(n)]
                flat_v = [halves[0][a][b] for a in range(n) for b in range(n) if (a, b) != (derived, derived)]
                rounds[rd] += struct.pack(f"<{len(flat_v)}Q", *flat_v)
                for side, half in enumerate(halves):
                    half[derived][derived] = both[side] - sum(half[a][a] for a in range(derived + 1, n))
                    both[side] = sum(alpha[a] * beta[b] * half[a][b] for a in range(n) for b in range(n)) % q
            ends += [flat[1][0], both[1]]
            self.ends_meet &= (flat[0][0] * flat[1][0] - both[0] - both[1]) % q == 0
        self.messages += rounds
        text = identity + struct.pack(f"<{len(ends)}Q", *ends)
        pad = stream_bytes(place.key("seal", keys["vw"]), place.nonce("seal", 0), len(text))
        text = bytes(a ^ b for a, b in zip(text, pad))
        self.statement = text + hmac.digest(place.key("tag", keys["vw"]), text, "sha256")

    @property
    def accepted(self):
        return self.identity_holds and self.ends_meet


# ---- true statements to try

def some(rng, k, count):
    return [rng.getrandbits(k) for _ in range(count)]


def matrix(rng, k=64, rows=3, columns=2, inner=(2, 3)):
    terms = [dict(left="VW"[t % 2], negative=t % 3 == 1, inner=n) for t, n in enumerate(inner)]
    sizes = [(rows * t["inner"], t["inner"] * columns) for t in terms]
    v = [some(rng, k, a if t["left"] == "V" else b) for t, (a, b) in zip(terms, sizes)]
    w = [some(rng, k, b if t["left"] == "V" else a) for t, (a, b) in zip(terms, sizes)]
    rel = dict(kind="matrix", k=k, rows=rows, columns=columns, terms=terms, v=dict(factors=v, a=some(rng, k, rows * columns)),
               w=dict(factors=w, b=[0] * (rows * columns)))
    rel["w"]["b"] = [-(p + a) % (1 << k) for p, a in zip(products(rel), rel["v"]["a"])]
    return rel


def table(rng, bits=3, xorBits=1, n=2, widths=(8, 13), elements_=3, factor=0, like=None):
    width = list(widths) * n
    functions = like["functions"] if like else [[[rng.getrandbits(w) for w in width] for _ in range(1 << bits + xorBits)]
                                                for _ in range(2 if factor else 1)]
    terms = [0, 1, 0] if factor else [0]
    factors = lambda: [some(rng, factor, elements_) if factor else [1] * elements_ for _ in terms]
    index = lambda: [rng.randrange(1 << bits + xorBits) for _ in range(elements_)]
    identity = like["id"] if like else sha(repr((bits, xorBits, n, widths, functions)).encode()).hex()
    rel = dict(kind="table", bits=bits, xorBits=xorBits, n=n, widths=list(widths), elements=elements_, terms=terms, id=identity,
               functions=functions, factorBits=2 * factor, v=dict(index=index(), factors=factors(), e=[]),
               w=dict(index=index(), factors=factors(), w=[rng.getrandbits(w) for w in width * elements_]))
    rel["v"]["e"] = [(p + z) % (1 << width[i % len(width)]) for i, (p, z) in enumerate(zip(products(rel), rel["w"]["w"]))]
    return rel


def choice(rng, n=12, k=24, widths=(24, 9), elements_=3):
    P = len(widths)
    rel = dict(kind="choice", k=k, n=n, widths=list(widths), elements=elements_,
               v=dict(entries=[rng.getrandbits(w) for w in list(widths) * n * elements_], a=some(rng, k, elements_)),
               w=dict(choice=[rng.randrange(n) for _ in range(elements_)], b=[],
                      basis=[rng.getrandbits(w) << k - w for w in list(widths) * elements_]))
    rel["w"]["b"] = [-(p + a) % (1 << k) for p, a in zip(products(rel), rel["v"]["a"])]
    return rel


def mixed(rng):
    first = table(rng)
    return [matrix(rng, 33), first, choice(rng), table(rng, like=first), table(rng, 0, 2, 3, (32,), 2, 16), matrix(rng, 64, 2, 1, ()),
            choice(rng, 1, 64, (64, 64), 4)]


PARAMS = dict(sigma=4, primeBits=61, primes=1, maskBits=256)
KEYS = dict(vw=bytes([1] * 32), pv=bytes([2] * 32), pw=bytes([3] * 32))


def check_completeness():
    for seed in range(4):
        rng = random.Random(seed)
        rels = mixed(rng)
        assert all(map(holds, rels))
        run = Run(rels, dict(PARAMS, primes=1 + seed % 2), Place(rng.randbytes(32), seed % 3, seed), KEYS)
        assert run.accepted
        # Each seed is the hash of the next, and nothing else.
        assert all(sha(b) == a for a, b in zip(run.ch.seeds, run.ch.seeds[1:]))


def spoil(rng, rel):
    half, name = {"matrix": ("v", "a"), "table": ("v", "e"), "choice": ("v", "a")}[rel["kind"]]
    words_ = rel[half][name]
    place = rng.randrange(len(words_))
    words_[place] ^= 1 << widths_of(rel)[place % columns_of(rel)] - 1


def check_wrong():
    """A truthful proof of a wrong statement passes with 2^(1-σ) at most: the top bit of one word, any kind."""
    rng, params = random.Random(5), dict(PARAMS, sigma=2)
    passed = trials = 0
    for _ in range(150):
        rel = rng.choice([matrix, table, choice])(rng)
        spoil(rng, rel)
        assert not holds(rel)
        place = Place(rng.randbytes(32), 1, 0)
        ch = Challenges(place, [rel], params, KEYS["vw"])
        sums = [c + a + b for c, a, b in zip(claims([rel], ch), side_identity([rel], ch, "v"), side_identity([rel], ch, "w"))]
        passed, trials = passed + all(z % (1 << 64) == 0 for z in sums), trials + 1
    assert passed / trials < 0.5 + 3 * (0.25 / trials) ** 0.5, passed
    assert passed > 0  # σ = 2 is no protection, so the count is of something


def check_barrier():
    """§15.4: who knows X before its last word is sent places errors that the compression does not see."""
    rng = random.Random(6)
    for known in (True, False):
        rel = choice(rng, 2, 16, (16,), 40)
        ch = Challenges(Place(rng.randbytes(32), 0, 0), [rel], dict(PARAMS, sigma=4), KEYS["vw"])
        x = ch.x(0) if known else some(rng, 4, 40)
        i, j = next((i, j) for i in range(40) for j in range(i) if x[i] == x[j])
        rel["v"]["a"][i] += 77
        rel["v"]["a"][j] -= 77
        sums = [c + a + b for c, a, b in zip(claims([rel], ch), side_identity([rel], ch, "v"), side_identity([rel], ch, "w"))]
        assert not holds(rel) and all(z % (1 << 64) == 0 for z in sums) == known


def check_forked():
    """§15.4: a V that hands the prover another β than W folds with solves for a form in W's secrets."""
    rng, q = random.Random(7), (1 << 61) - 1
    n = 4
    U, W = some(rng, 60, n), some(rng, 16, 2 * n)
    b, forked = rng.randrange(q), rng.randrange(q)
    fold2 = lambda c: [(W[2 * i] + c * W[2 * i + 1]) % q for i in range(n)]
    u0, w0 = rng.randrange(q), rng.randrange(q)
    alpha, beta = ([1] + [rng.randrange(q) for _ in range(n)] for _ in range(2))
    z = cross([[u] for u in [u0] + U], [[w] for w in [w0] + fold2(forked)], q)  # the prover's
    of_w = [[rng.randrange(q) for _ in range(n + 1)] for _ in range(n + 1)]
    form = lambda grid: sum(x * y * grid[i][j] for i, x in enumerate(alpha) for j, y in enumerate(beta)) % q
    of_v = [[(a - c) % q for a, c in zip(r, s)] for r, s in zip(z, of_w)]
    end_u = sum(a * u for a, u in zip(alpha, [u0] + U)) % q
    end_w = sum(c * w for c, w in zip(beta, [w0] + fold2(b))) % q  # W's, folded with the right one
    learnt = ((form(of_v) + form(of_w)) * pow(end_u, -1, q) - end_w) % q
    assert learnt == sum(c * (x - y) for c, x, y in zip(beta[1:], fold2(forked), fold2(b))) % q != 0


def export_vectors():
    out = []
    for seed, primes, sigma, bits in ((11, 1, 4, 224), (12, 2, 3, 256)):
        rng = random.Random(seed)
        # Claims of the table with two factors of 16 bits stay below 2^160.
        rels = mixed(rng)
        place = Place(rng.randbytes(32), seed % 3, seed)
        params = dict(sigma=sigma, primeBits=61, primes=primes, maskBits=bits, claimBits=160)
        run = Run(rels, params, place, KEYS)
        assert run.accepted
        out.append(dict(session=place.session.hex(), proof=place.proof, segment=place.segment, parameters=params,
                        keys={name: key.hex() for name, key in KEYS.items()}, relations=rels,
                        primesDrawn=[run.ch.prime(p)[0] for p in range(primes)], seeds=[s.hex() for s in run.ch.seeds],
                        statement=run.statement.hex(), messages=[m.hex() for m in run.messages]))
    return out


def main():
    check_completeness()
    check_wrong()
    check_barrier()
    check_forked()
    print("§15 proofs: every byte of a proof; errors missed at σ = 2; the barrier and the chain, and what happens without")


if __name__ == "__main__":
    main()
