"""What auth does, one function per thing."""
