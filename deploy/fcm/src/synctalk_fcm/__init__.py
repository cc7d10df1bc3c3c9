"""A local stand-in of the FCM HTTP v1 endpoint."""
