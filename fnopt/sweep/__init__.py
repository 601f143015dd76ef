"""The sweep engine: proposals, chunks of lanes, threads, ranking."""

from fnopt._compile import TRACES as TRACES
from fnopt.sweep.chunk import Chunk as Chunk
from fnopt.sweep.chunk import Work as Work
from fnopt.sweep.chunk import run_chunk as run_chunk
from fnopt.sweep.drive import Watch as Watch
from fnopt.sweep.plan import Plan as Plan
from fnopt.sweep.plan import fingerprint as fingerprint
from fnopt.sweep.population import population as population
from fnopt.sweep.ranking import Standing as Standing
from fnopt.sweep.result import LaneResult as LaneResult
from fnopt.sweep.search import propose as propose
from fnopt.sweep.stop import asynchronous_halving as asynchronous_halving
from fnopt.sweep.stop import halving as halving
from fnopt.sweep.stop import hyperband as hyperband
from fnopt.sweep.stop import median as median
