"""What every client library must do, as cases in JSON, and what plays them: other users, a disturbed network, faults.

The client is a process that is called by lines of JSON; README.md has the protocol and the form of a case.
"""
