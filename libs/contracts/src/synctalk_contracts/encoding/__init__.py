"""Encode and decode what is written and read too often for pydantic.

A message takes 9 µs to write as a model and a room batch with it 7; written here, 0.4 and 0.6. Reading takes 5 and 1.6.
What stands here writes exactly what the contract class of the same name writes, and tests hold both against each other
and against the committed schemas. Everything else uses `Contract.to_bytes` and `Contract.from_bytes`.
"""
