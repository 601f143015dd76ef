"""Hostile trials of files, processes, tables, options and numbers: each is held, or named as failed.

    python -m benchmarks.abuse [KIND ...] [--seed 0] [--share 1.0]

A trial alters, forges, interrupts or misuses something that a user of fnopt may meet, and then does what the user would
do next. It is held where the answer is the undisturbed one, or one clear line that refuses. It failed where a number is
wrong without a word, work is lost, a foreign file is changed, a traceback or Python's own words appear, or memory and
time run out. A module holds the trials of one kind, as a function of a seed.
"""
