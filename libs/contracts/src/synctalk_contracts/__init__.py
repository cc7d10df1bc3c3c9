"""The contracts of the services with each other and with clients: names, shapes and versions, and nothing else.

Built strictly (unknown fields are refused when we construct or receive from a client) and read tolerantly between
services (unknown fields are ignored), so that an older reader survives a newer writer. Depends on pydantic, and
on orjson for what is encoded most often.
"""
