# SPDX-License-Identifier: Apache-2.0
"""A BERT encoder in jax, with the circuits of PUMA (Dong et al., arXiv 2307.12533) where a function is not linear."""
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np


@dataclass(frozen=True)
class Dimensions:
    layers: int
    hidden: int
    heads: int
    intermediate: int


DIMENSIONS = {"tiny": Dimensions(2, 32, 2, 64), "base": Dimensions(12, 768, 12, 3072)}


def gelu(x):
    """PUMA's GeLU: 0, a cubic, a polynomial of degree 6, x; three comparisons."""
    low, middle, high = x < -4.0, x < -1.95, x > 3.0
    inner = middle ^ high ^ True
    outer = low ^ middle
    x2 = jnp.square(x)
    x3 = x * x2
    x4 = jnp.square(x2)
    x6 = jnp.square(x3)
    cubic = -0.011034134030615728 * x3 - 0.11807612951181953 * x2 - 0.42226581151983866 * x - 0.5054031199708174
    sextic = (
        0.0018067462606141187 * x6
        - 0.037688200365904236 * x4
        + 0.3603292692789629 * x2
        + 0.5 * x
        + 0.008526321541038084
    )
    return high * x + outer * cubic + inner * sextic


def softmax(x):
    """PUMA's: the row's maximum, nothing below −14, exp by the runtime's Taylor form, one reciprocal a row."""
    x = x - jnp.max(x, axis=-1, keepdims=True)
    e = (x > -14.0) * jnp.exp(x)
    return e * (1.0 / jnp.sum(e, axis=-1, keepdims=True))


def normalise(x, gamma, beta):
    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    variance = jnp.mean(jnp.square(centred), axis=-1, keepdims=True)
    return centred * jax.lax.rsqrt(variance + 1e-12) * gamma + beta


def layer(p, x, rows, heads):
    """One layer for `rows` of x: all of them, or in the last layer the one that a head reads."""
    width = x.shape[1] // heads

    def split(y):
        return y.reshape(y.shape[0], heads, width).transpose(1, 0, 2)

    q, k, v = split(rows @ p["wq"] + p["bq"]), split(x @ p["wk"] + p["bk"]), split(x @ p["wv"] + p["bv"])
    weights = softmax(jnp.matmul(q, k.transpose(0, 2, 1)) * (1 / np.sqrt(width)))
    context = jnp.matmul(weights, v).transpose(1, 0, 2).reshape(rows.shape)
    h = normalise(context @ p["wo"] + p["bo"] + rows, p["g1"], p["b1"])
    return normalise(gelu(h @ p["wi"] + p["bi"]) @ p["wu"] + p["bu"] + h, p["g2"], p["b2"])


def encode(params, x, heads):
    """From embedded hidden states (tokens, hidden) to the first row of the last layer."""
    for i, p in enumerate(params):
        x = layer(p, x, x[:1] if i == len(params) - 1 else x, heads)
    return x


def random_params(d: Dimensions, seed: int):
    r = np.random.default_rng(seed)

    def linear(rows, columns):
        return (r.standard_normal((rows, columns)) * 0.02).astype(np.float32)

    def constant(value, n):
        return np.full(n, value, np.float32)

    def one():
        p = {}
        for name in "qkvo":
            p[f"w{name}"], p[f"b{name}"] = linear(d.hidden, d.hidden), constant(0, d.hidden)
        p["wi"], p["bi"] = linear(d.hidden, d.intermediate), constant(0, d.intermediate)
        p["wu"], p["bu"] = linear(d.intermediate, d.hidden), constant(0, d.hidden)
        for i in "12":
            p[f"g{i}"], p[f"b{i}"] = constant(1, d.hidden), constant(0, d.hidden)
        return p

    return [one() for _ in range(d.layers)]
