"""Files: written whole or not at all, read within bounds, and only what is a regular file."""
