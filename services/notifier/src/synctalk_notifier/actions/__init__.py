"""The actions of the notifier, one module for each."""
