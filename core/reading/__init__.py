"""What poll.py is made of: walks, looks, what is new in a page, health, blindness."""
