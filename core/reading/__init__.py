"""What poll.py is made of: walks, looks, health, blindness, what is counted of a walk."""
