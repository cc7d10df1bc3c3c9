"""Who is here, and who was when"""
