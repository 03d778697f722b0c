"""What settings.py is made of: sections, references, calendars, promises, complaints, checks."""
