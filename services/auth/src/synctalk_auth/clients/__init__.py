"""Calls out."""
