"""The deciding half of the agent: values in, actions out; no I/O, no clock, no threads."""
