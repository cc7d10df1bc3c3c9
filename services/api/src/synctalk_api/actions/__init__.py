"""The actions of api: open the transaction, ask the rules, use the store, publish.

An action takes what it uses. Where several share connections they are the methods of one small class.
"""
