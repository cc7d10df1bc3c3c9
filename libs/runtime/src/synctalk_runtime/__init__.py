"""The runtime of a service: settings, logs, traces, health, errors, tokens, bus, database, cache. Nothing of chat."""
