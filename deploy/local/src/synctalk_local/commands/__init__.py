"""The commands of `make`: up, down, ps, logs, the web client's build, and the same with Docker."""
