"""Fitting one model, sweeping many, saving and opening them."""

from fnopt.run.caviar import caviar as caviar
from fnopt.run.files import load as load
from fnopt.run.fit import fit as fit
from fnopt.run.hypergrad import Hypergradient as Hypergradient
from fnopt.run.hypergrad import hypergrad as hypergrad
from fnopt.run.progress import Bar as Bar
from fnopt.run.run import Run as Run
from fnopt.run.store import open_sweep as open_sweep
from fnopt.run.sweep import Best as Best
from fnopt.run.sweep import Sweep as Sweep
