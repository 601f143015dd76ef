"""What notebooks show of a run and of a sweep: pieces of HTML from text and arrays."""

from fnopt.report.run import run_html as run_html
from fnopt.report.sweep import sweep_html as sweep_html
