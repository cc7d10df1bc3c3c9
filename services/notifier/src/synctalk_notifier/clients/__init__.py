"""Calls out: FCM by Firebase's client, and the neighbours that know who is here and who has read."""
