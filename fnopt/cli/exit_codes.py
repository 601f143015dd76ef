"""What the command line exits with where it does not end well."""

MISTAKE, INTERRUPTED = 2, 130
