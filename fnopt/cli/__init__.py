"""The command line: ``fnopt sweep``, ``fnopt resume``, ``fnopt predict``, ``fnopt doctor``."""

from fnopt.cli.entry import main as main
