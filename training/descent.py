# SPDX-License-Identifier: Apache-2.0
"""What every training loop here does beside its own loss: optimizer, learning rate, step, running mean of the weights."""
import math
import time

import torch


def optimizer(params, lr, decay):
    """AdamW; biases and LayerNorms do not decay."""
    params = list(params)
    return torch.optim.AdamW([{"params": [p for p in params if p.dim() > 1], "weight_decay": decay},
                              {"params": [p for p in params if p.dim() == 1], "weight_decay": 0}],
                             lr=lr, betas=(.9, .98), fused=True)


class Schedule:
    """Warm-up and cosine, by the clock, or by steps where `minutes` is 0."""

    def __init__(self, minutes, steps, lr, warmup):
        self.minutes, self.steps, self.lr, self.warmup = minutes, steps, lr, warmup
        self.began = time.time()

    def seconds(self):
        return time.time() - self.began

    def done(self, step):
        """How much of the schedule is over, 1 or more at its end."""
        return self.seconds() / 60 / self.minutes if self.minutes else step / self.steps

    def set_rate(self, opt, step, done):
        for group in opt.param_groups:
            group["lr"] = self.lr * min(1, (step + 1) / self.warmup) * (.02 + .98 * (.5 + .5 * math.cos(math.pi * done)))


def descend(opt, loss, params):
    opt.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(params, 1.0)
    opt.step()


@torch.no_grad()
def follow(average, model, weight):
    """A running mean of the weights is steadier than the last step."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), weight)
