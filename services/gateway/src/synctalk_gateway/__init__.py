"""The live side: sockets, rooms and delivery"""
