"""Users, conversations, messages: their rows, their rules, and the one order in which everybody sees them."""
