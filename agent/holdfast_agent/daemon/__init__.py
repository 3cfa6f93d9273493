"""The running agent: event loop, adapters between the state machines and the machine they run on."""
