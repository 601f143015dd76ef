"""What the wrapper tables share: each wrapper around any optimizer, and values of every number."""

import math

from fnopt.optim import WRAPPERS, decay_by_path, rate_by_path

MAKE = dict(WRAPPERS) | {
    "decay_by_path": lambda inner: decay_by_path(inner, {"b": 0.0, "*": 0.1}),
    "rate_by_path": lambda inner: rate_by_path(inner, {"b": 2.0, "[dw]*": 1.0}),
}
OWN = {  # three allowed values of each number, both edges among them where they exist
    "clip_by_value": {"max_value": (0.0, 0.5, math.inf)},
    "clip_by_global_norm": {"max_norm": (0.0, 1.5, math.inf)},
    "adaptive_clip": {"clipping": (0.0, 0.1, math.inf), "clipping_eps": (0.0, 1e-3, 0.5)},
    "accumulate": {"every_k": (0.5, 2.0, 3.0)},
    "ema": {"ema_decay": (0.0, 0.9, 0.999), "ema_correction": (0.0, 0.5, 1.0)},
    "lookahead": {"sync_every": (0.5, 2.0, 3.0), "slow_rate": (0.0, 0.5, 1.0)},
    "skip_nonfinite": {"max_skips": (0.0, 1.0, math.inf)},
    "gradient_noise": {"noise_eta": (0.0, 0.01, 1.0), "noise_gamma": (0.0, 0.55, 2.0), "noise_seed": (0.0, 1.0, 7.0)},
    "compact": {"rounding_seed": (0.0, 1.0, 7.0)},
    "decay_by_path": {"decay_b": (0.0, 0.1, 1.0), "decay_rest": (0.0, 0.1, 1.0), "decay_coupling": (0.0, 0.5, 1.0)},
    "rate_by_path": {"rate_b": (0.0, 0.5, 2.0), "rate_dw": (0.0, 1.0, 2.0)},
}
ABOVE = {"ema_decay": 1.0, "ema_correction": 1.01, "slow_rate": 1.01, "decay_coupling": 1.01}
BOUNDED_BY_INF = ("max_value", "max_norm", "clipping", "max_skips")
NUMBERS = [(name, number) for name, own in OWN.items() for number in own]


def middle(name):
    """Every number of a wrapper's own, none at an edge."""
    return {number: values[1] for number, values in OWN[name].items()}
