"""What is exported beside what a process counts: the snapshot at a scrape, sections, the page."""
