"""The command line: ``fnopt sweep``, ``fnopt predict``, ``fnopt doctor``."""

from fnopt.cli.entry import main as main
