"""The actions of auth, one module for each."""
