"""Error surfaces: test functions with known critical points, what kind a point is, and the paths of optimizers.

>>> [c.kind for c in himmelblau.critical].count("minimum")
4
>>> critical_points(saddle)[0].kind
'saddle'
"""

from typing import TYPE_CHECKING

from fnopt._names import suggesting as _suggesting
from fnopt.surfaces.critical import Critical as Critical
from fnopt.surfaces.critical import classify as classify
from fnopt.surfaces.critical import critical_points as critical_points
from fnopt.surfaces.descend import descend as descend
from fnopt.surfaces.gabor import gabor as gabor
from fnopt.surfaces.gabor import gabor_curve as gabor_curve
from fnopt.surfaces.named import NAMES as NAMES
from fnopt.surfaces.named import SURFACES as SURFACES
from fnopt.surfaces.named import beale as beale
from fnopt.surfaces.named import by_name as by_name
from fnopt.surfaces.named import himmelblau as himmelblau
from fnopt.surfaces.named import rastrigin as rastrigin
from fnopt.surfaces.named import ravine as ravine
from fnopt.surfaces.named import rosenbrock as rosenbrock
from fnopt.surfaces.named import saddle as saddle
from fnopt.surfaces.surface import Known as Known
from fnopt.surfaces.surface import Surface as Surface

if not TYPE_CHECKING:  # a misspelt name is answered with the nearest
    __getattr__ = _suggesting(__name__)
