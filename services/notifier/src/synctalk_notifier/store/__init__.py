"""The notifier's tables, one module each. SQL lives only here."""
