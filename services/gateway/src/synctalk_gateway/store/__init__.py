"""The gateway's keys in Redis: rate limits, and nothing that anybody would miss."""
