"""The commands: one module each with `register(commands)`; results go to stdout, talk to stderr."""
