"""What metrics.py is fed by: labels, the snapshot at a scrape, what requests and pages did."""
