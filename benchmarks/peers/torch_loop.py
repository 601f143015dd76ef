"""A plain PyTorch loop with its own Adam, one model after another, all cores."""

import numpy as np
import torch

from benchmarks.peers import Train
from benchmarks.peers.torch_net import data, device, network, wait
from benchmarks.problem import Draw, Problem


def trainer(problem: Problem) -> Train:
    """``zero_grad``, ``backward``, ``step``; the fused Adam, which is torch's fastest here."""

    def train(draw: Draw):  # type: ignore[no-untyped-def]
        x, y, order = data(problem.x, problem.y, draw.order)
        made = []
        for lr in draw.lrs[: problem.few].tolist():
            net = network(draw.layers)
            adam = torch.optim.Adam(net.parameters(), lr=lr, fused=True)
            for rows in order.flatten(0, 1):
                adam.zero_grad()
                torch.nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
                adam.step()
            made.append(net)
        wait()
        linear = [[part for part in net if isinstance(part, torch.nn.Linear)] for net in made]
        return lambda: [
            (np.stack([numpy(a.weight).T for a in lanes]), np.stack([numpy(a.bias) for a in lanes]))
            for lanes in zip(*linear, strict=True)
        ]

    return train


def numpy(a: torch.Tensor) -> np.ndarray:
    """A tensor on the host."""
    return a.detach().to("cpu" if device() == "cuda" else a.device).numpy()
