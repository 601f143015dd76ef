"""What may be searched: ranges, choices, conditions, and how a space becomes configurations."""

from fnopt.space.choice import Choice as Choice
from fnopt.space.choice import When as When
from fnopt.space.choice import choice as choice
from fnopt.space.choice import is_space as is_space
from fnopt.space.choice import when as when
from fnopt.space.distributions import Distribution as Distribution
from fnopt.space.distributions import integer as integer
from fnopt.space.distributions import log_integer as log_integer
from fnopt.space.distributions import log_normal as log_normal
from fnopt.space.distributions import log_uniform as log_uniform
from fnopt.space.distributions import normal as normal
from fnopt.space.distributions import one_minus_log_uniform as one_minus_log_uniform
from fnopt.space.distributions import uniform as uniform
from fnopt.space.search_space import SearchSpace as SearchSpace
