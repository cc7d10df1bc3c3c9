"""A local stand-in of the FCM HTTP v1 endpoint: it takes pushes as FCM does, fails as FCM does, and shows them."""
