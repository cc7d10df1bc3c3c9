"""What the services say to each other and to clients: names, shapes and versions, and nothing else.

Built strictly (unknown fields are refused when we construct or receive from a client) and read tolerantly between
services (unknown fields are ignored), so that an older reader survives a newer writer. Depends on pydantic alone.
"""
