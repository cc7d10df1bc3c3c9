"""Users, conversations, messages and history"""
