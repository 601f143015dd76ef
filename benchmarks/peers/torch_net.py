"""The network as torch writes it; where it lives, how many threads, and when it is done."""

from typing import Any

import torch

from benchmarks.machine import cores, on_gpu
from benchmarks.problem import Layers

torch.set_num_threads(cores())


def device() -> str:
    """The GPU if jax computes on one here and this torch can, too."""
    return "cuda" if on_gpu() and torch.cuda.is_available() else "cpu"


def wait() -> None:
    """Until the device has done what it was told."""
    if device() == "cuda":
        torch.cuda.synchronize()


def network(layers: Layers) -> torch.nn.Sequential:
    """A ReLU network with these weights; torch keeps them transposed."""
    parts: list[Any] = []
    for weight, bias in layers:
        linear = torch.nn.Linear(*weight.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.tensor(weight.T))
            linear.bias.copy_(torch.tensor(bias))
        parts += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*parts[:-1]).to(device())


def data(x: Any, y: Any, order: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Inputs, labels and the rows of each batch, on the device."""
    x, y, order = torch.tensor(x), torch.tensor(y).long(), torch.tensor(order).long()
    return x.to(device()), y.to(device()), order.to(device())
