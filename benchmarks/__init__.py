"""Measurements that are too long for tests; each prints what it found and checks it."""
