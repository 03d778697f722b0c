"""What ingest.py is made of: what of a page is new, what PostgreSQL refuses, what is set aside."""
