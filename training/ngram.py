# SPDX-License-Identifier: Apache-2.0
"""Interpolated bigram model over token ids: the baseline of the text generator."""
import math
import random
from collections import Counter


class Bigram:
    """p(b|a) = w2 c(ab)/c(a) + w1 c(b)/n + w0 / size; the weights are fitted on a tenth of the training tokens (EM).

    That tenth is drawn from all over the text: the tail of a text is of one source only, and weights fitted there
    (made stories, nearly all bigrams seen) make the baseline far too weak for the others.
    """

    def __init__(self, ids, size, seed=1):
        pieces = [ids[i:i + 1000] for i in range(0, len(ids), 1000)]
        random.Random(seed).shuffle(pieces)
        ids = [i for piece in pieces for i in piece]
        cut, self.size = len(ids) * 9 // 10, size
        self._count(ids[:cut])
        weights = [.6, .35, .05]
        for _ in range(15):
            sums = [0.0, 0.0, 0.0]
            for a, b in zip(ids[cut:], ids[cut + 1:]):
                parts = [w * p for w, p in zip(weights, self._parts(a, b))]
                total = sum(parts)
                sums = [s + p / total for s, p in zip(sums, parts)]
            weights = [s / sum(sums) for s in sums]
        self.weights = weights
        self._count(ids)

    def _count(self, ids):
        self.one, self.two, self.first = Counter(ids), Counter(zip(ids, ids[1:])), Counter(ids[:-1])
        self.total = len(ids)

    def _parts(self, a, b):
        seen = self.first[a]
        return (self.two[a, b] / seen if seen else 0.0), self.one[b] / self.total, 1 / self.size

    def perplexity(self, ids):
        nll = -sum(math.log(sum(w * p for w, p in zip(self.weights, self._parts(a, b)))) for a, b in zip(ids, ids[1:]))
        return math.exp(nll / (len(ids) - 1))
