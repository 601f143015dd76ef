"""torch.func: vmap of the gradient over stacked weights, and Adam by hand over the stacked tensors."""

from typing import Any

import torch
from torch.func import functional_call, grad, vmap

from benchmarks.peers import Train
from benchmarks.peers.torch_loop import numpy
from benchmarks.peers.torch_net import data, device, network, wait
from benchmarks.problem import Draw, Problem

B1, B2, EPS = 0.9, 0.999, 1e-8


def trainer(problem: Problem) -> Train:
    """All lanes at once; the batch is shared, the learning rates are a tensor."""

    def train(draw: Draw):  # type: ignore[no-untyped-def]
        x, y, order = data(problem.x, problem.y, draw.order)
        net = network(draw.layers)
        named = {name: a.detach() for name, a in net.named_parameters()}
        names = list(named)
        p = [a.expand(len(draw.lrs), *a.shape).clone() for a in named.values()]  # stack_module_state, without copies

        def loss(one: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.cross_entropy(functional_call(net, one, (x,)), y)

        slopes = vmap(grad(loss), in_dims=(0, None, None))
        m, v = [torch.zeros_like(a) for a in p], [torch.zeros_like(a) for a in p]
        lrs = [torch.tensor(draw.lrs, device=device()).view(-1, *[1] * (a.ndim - 1)) for a in p]
        with torch.no_grad():
            for t, rows in enumerate(order.flatten(0, 1), start=1):
                g = list(slopes(dict(zip(names, p, strict=True)), x[rows], y[rows]).values())
                _adam(p, g, m, v, lrs, t)
        wait()
        return lambda: [(numpy(p[k].mT), numpy(p[k + 1])) for k in range(0, len(p), 2)]

    return train


def _adam(p: Any, g: Any, m: Any, v: Any, lrs: Any, t: int) -> None:
    """p ← p − lr m̂ / (√v̂ + ε), in place, all tensors of a kind at once."""
    each: Any = torch
    each._foreach_lerp_(m, g, 1 - B1)
    each._foreach_mul_(v, B2)
    each._foreach_addcmul_(v, g, g, 1 - B2)
    scale = each._foreach_sqrt(v)
    each._foreach_div_(scale, (1 - B2**t) ** 0.5)
    each._foreach_add_(scale, EPS)
    move = each._foreach_div(m, scale)
    each._foreach_mul_(move, lrs)
    each._foreach_add_(p, move, alpha=-1 / (1 - B1**t))
