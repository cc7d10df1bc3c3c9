"""Users, conversations and messages: their rows, their rules, and the sequence of changes that everybody sees."""
