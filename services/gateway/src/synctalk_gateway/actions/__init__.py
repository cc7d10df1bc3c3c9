"""What the gateway does: let somebody in, follow their conversations, end sessions, resync, drain."""
