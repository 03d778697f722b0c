"""What metrics.py is fed by: the snapshot at a scrape, and what each request did."""
