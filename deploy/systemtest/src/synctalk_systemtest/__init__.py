"""The whole running system for tests: the stack of `make up`, its edge, faults and clients."""
