# SPDX-License-Identifier: Apache-2.0
"""PROTOCOL §8.3: a range check refuses everything outside, passes everything accepted, and never a score that lied."""
import math
from itertools import product


def finest_of(domain):
    """log2 of the finest unit, and the multiple of x whose 9 half units end just inside the domain."""
    unit = math.ceil(math.log2(64 * domain / 4.5))
    return unit, math.floor(4.5 * 2**unit / domain) + 1


def accepted_of(domain):
    unit, factor = finest_of(domain)
    return 3.5 * 2**unit / factor


# As (unit, bits, pass, offset) of every table on factor · x: what `magnitudeTables` of src/mpc/secure/range-check.ts
# gives. test/mpc/range-check.test.ts holds them together.
LADDERS = {
    (63, 7): [(10, 4, 8, 3.5)],
    (63, 8): [(10, 4, 8, 3.5), (12, 3, 4, 1.375)],
    (58, 8): [(10, 4, 8, 3.5), (12, 3, 4, 1.375)],
    (250, 10): [(12, 4, 8, 3.5), (14, 3, 4, 1.375)],
}


def check_magnitudes():
    """Every value below the reach and both outcomes of every dither, in units of 2^−3."""
    points = 0
    for (domain, reach), tables in LADDERS.items():
        factor = finest_of(domain)[1]
        finest = tables[0][0]
        for eighth in range(-(8 << reach), (8 << reach) + 1):
            x = eighth / 8
            outcomes = set()
            for first, *dither in product((0, 1), repeat=1 + len(tables)):
                # All tables are made of one reading of finest units (Lemma 5.1: one more unless on a border).
                raised = factor * x / 2**finest + tables[0][3]
                read = math.floor(raised) + (first if raised % 1 != 0 else 0)
                outside = False
                for (unit, bits, passes, offset), up in zip(tables, dither):
                    size = 2 ** (unit - finest)
                    more = offset * size - tables[0][3]
                    assert more == int(more)
                    at = read + int(more)
                    measured = at // size + (up if at % size != 0 else 0)
                    outside |= measured % (1 << bits) >= passes
                outcomes.add(outside)
            if abs(x) >= domain:
                assert outcomes == {True}, (domain, reach, x)
            if abs(x) < accepted_of(domain):
                assert outcomes == {False}, (domain, reach, x)
            points += 1
    return points


def check_below():
    """The two tables of a spread: what both let pass is one interval of `half` residues, and 0 … accepted is in it."""
    points = 0
    for b in (8, 9):
        half, unit = 1 << (b - 1), 16
        edge = half // unit - 2
        for bits in range(b, 13):
            for y in range(1 << bits):
                outcomes = set()
                for up, far in product((0, 1), repeat=2):
                    near = (y % (1 << b)) // unit + (up if y % unit != 0 else 0)
                    found = near % (1 << (b - 4)) > edge
                    if bits > b:
                        above = (y + unit) % (1 << bits)
                        wide = above // half + (far if above % half != 0 else 0)
                        found |= wide % (1 << (bits - b + 1)) > 1
                    outcomes.add(found)
                signed = y if y < 1 << (bits - 1) else y - (1 << bits)
                if not -unit <= signed < half - unit:
                    assert outcomes == {True}, (b, bits, y)
                if 0 <= signed <= edge * unit:
                    assert outcomes == {False}, (b, bits, y)
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
    points, rows = check_magnitudes() + check_below(), check_spread()
    print(f"ranges: {points} values and {rows} rows that pass: nothing outside passes, nothing accepted is refused")


if __name__ == "__main__":
    main()
