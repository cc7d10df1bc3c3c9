"""How much of everything a number of connected users takes: arithmetic on what was measured."""
