"""The actions of the gateway: let sockets in, join conversations, submit commands, end sessions, resync, drain."""
