"""Numbers over time: pytrees of numbers, called with a step (the updates done so far, from 0).

Every level and length is a leaf: it can be swept, differentiated, checkpointed and changed without a second trace. A
schedule may stand wherever an optimizer or a model takes a number. ``schedule.every(steps_per_epoch)`` counts epochs;
without an argument ``fit`` fills the length in.

>>> lr = exponential(0.1, rate=0.5)
>>> [round(float(lr(step)), 4) for step in range(4)]
[0.1, 0.05, 0.025, 0.0125]
>>> [round(float(lr.every(2)(step)), 4) for step in range(4)]
[0.1, 0.1, 0.05, 0.05]

Schedules combine: ``a.then(b, after=100)``, ``a.warmed(10)``, ``a.scaled(0.5)``, ``a.clipped(low=1e-5)``,
``a.stretched(2)``; the parts' numbers keep names of their own, as in ``lr.first.value``. :func:`plateau` is the one
that looks at scores.

>>> lr = constant(0.1).then(exponential(0.1, rate=0.5), after=2).warmed(1)
>>> [round(float(lr(step)), 4) for step in range(6)]
[0.0, 0.1, 0.1, 0.1, 0.05, 0.025]
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.schedules.combinators import Clipped as Clipped
from fnopt.schedules.combinators import Every as Every
from fnopt.schedules.combinators import Scaled as Scaled
from fnopt.schedules.combinators import Schedule as Schedule
from fnopt.schedules.combinators import Stretched as Stretched
from fnopt.schedules.combinators import Then as Then
from fnopt.schedules.combinators import Warmed as Warmed
from fnopt.schedules.combinators import filled as filled
from fnopt.schedules.constant import Constant as Constant
from fnopt.schedules.constant import constant as constant
from fnopt.schedules.cosine import Cosine as Cosine
from fnopt.schedules.cosine import cosine as cosine
from fnopt.schedules.cyclic import Cyclic as Cyclic
from fnopt.schedules.cyclic import cyclic as cyclic
from fnopt.schedules.exponential import Exponential as Exponential
from fnopt.schedules.exponential import exponential as exponential
from fnopt.schedules.inverse_sqrt import InverseSqrt as InverseSqrt
from fnopt.schedules.inverse_sqrt import inverse_sqrt as inverse_sqrt
from fnopt.schedules.inverse_time import InverseTime as InverseTime
from fnopt.schedules.inverse_time import inverse_time as inverse_time
from fnopt.schedules.linear import Linear as Linear
from fnopt.schedules.linear import linear as linear
from fnopt.schedules.one_cycle import OneCycle as OneCycle
from fnopt.schedules.one_cycle import one_cycle as one_cycle
from fnopt.schedules.piecewise import Piecewise as Piecewise
from fnopt.schedules.piecewise import piecewise as piecewise
from fnopt.schedules.plateau import Plateau as Plateau
from fnopt.schedules.plateau import follow as follow
from fnopt.schedules.plateau import follows as follows
from fnopt.schedules.plateau import plateau as plateau
from fnopt.schedules.polynomial import Polynomial as Polynomial
from fnopt.schedules.polynomial import polynomial as polynomial
from fnopt.schedules.step_decay import StepDecay as StepDecay
from fnopt.schedules.step_decay import step_decay as step_decay
from fnopt.schedules.warm_restarts import WarmRestarts as WarmRestarts
from fnopt.schedules.warm_restarts import warm_restarts as warm_restarts
from fnopt.schedules.warmup_stable_decay import WarmupStableDecay as WarmupStableDecay
from fnopt.schedules.warmup_stable_decay import warmup_stable_decay as warmup_stable_decay

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
