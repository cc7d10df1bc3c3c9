"""Calls to other services: FCM by Firebase's client, api and presence."""
