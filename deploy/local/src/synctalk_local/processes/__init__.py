"""The processes that only this stack has: the services, the push stand-in and the edge."""
