"""How a service of ours runs: settings, logs, traces, health, errors, tokens, bus, database, cache. No word of chat."""
