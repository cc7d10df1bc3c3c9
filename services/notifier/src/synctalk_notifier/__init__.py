"""Push to who is not here"""
