"""Facts in the past, one module per subject. Each says what happened completely enough that nobody must call back."""
