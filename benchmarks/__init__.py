"""The long-poll benchmark: one chat, several servers, the same clients. `python -m benchmarks`."""
