"""What an uploaded file is, found out in a process of its own: everything here reads bytes that nobody vouches for."""
