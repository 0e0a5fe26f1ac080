# SPDX-License-Identifier: Apache-2.0
"""PROTOCOL §8.3: a range check refuses everything outside, passes everything accepted, and never a score that lied."""
import math
from itertools import product


def unit_of(domain):
    return math.ceil(math.log2(domain)) - 3


def edge_of(domain):
    return math.floor(domain / 2 ** unit_of(domain)) - 1


def tables(domain, reach, room):
    """(unit, bits, edge) of every table: `magnitudeTables` of src/mpc/secure/range-check.ts."""

    def one(unit, edge):
        units = 2 ** max(reach - unit, math.ceil(math.log2(edge + 1)))
        return unit, min(math.ceil(math.log2(units + edge + 2)), room - unit), edge

    first = one(unit_of(domain), edge_of(domain))
    if first[1] <= 7:
        return [first]
    out, unit = [(first[0], 6, first[2])], first[0] + 4
    while True:
        following = one(unit, 1)
        if following[1] <= 6:
            return out + [following]
        out.append((following[0], 6, following[2]))
        unit += 4


def check_magnitudes():
    """Every value below the reach and both outcomes of the dither, in units of 2^−2."""
    points = 0
    for domain, reach in ((7, 4), (7, 6), (63, 7), (63, 12), (255, 14), (64, 10)):
        accepted = edge_of(domain) * 2 ** unit_of(domain)
        for quarter in range(-(4 << reach) + 1, 4 << reach):
            x = quarter / 4
            outcomes = set()
            for dither in product((0, 1), repeat=len(tables(domain, reach, 32))):
                outside = False
                for (unit, bits, edge), up in zip(tables(domain, reach, 32), dither):
                    # Lemma 5.1: one unit more is possible unless x lies on a border.
                    measured = math.floor(x / 2**unit) + (up if x % 2**unit != 0 else 0)
                    outside |= (measured + edge) % (1 << bits) > 2 * edge
                outcomes.add(outside)
            if abs(x) >= domain:
                assert outcomes == {True}, (domain, reach, x)
            if abs(x) < accepted:
                assert outcomes == {False}, (domain, reach, x)
            points += 1
    return points


def check_spread():
    """Lemma 8.2, exhaustively: rows of four coarse scores that differ by at most `reach`, and any T at all."""
    b, bits, reach = 3, 4, 9  # as 8, 12 and what Cauchy–Schwarz gives
    half, ring = 1 << (b - 1), 1 << bits
    assert reach + 2 + half < ring
    passed = 0
    for rest in product(range(-reach, reach + 1), repeat=3):
        row = (0, *rest)
        if max(row) - min(row) > reach:
            continue
        current = [c % (1 << b) for c in row]
        while len(current) > 1:
            size = (len(current) + 1) // 2
            pairs = zip(current[:size], current[len(current) - size :])
            current = [x if (x - y) % (1 << b) < half else y for x, y in pairs]
        if any(all((T - c) % ring < half for c in row) for T in range(ring)):
            passed += 1
            assert max(row) - min(row) < half and current[0] == max(row) % (1 << b), row
        else:
            assert max(row) - min(row) >= half, row
    assert passed > 100
    return passed


def main():
    points, rows = check_magnitudes(), check_spread()
    print(f"ranges: {points} values and {rows} rows that pass: nothing outside passes, nothing accepted is refused")


if __name__ == "__main__":
    main()
