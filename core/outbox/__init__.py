"""What has been claimed to be told: looked at once more, sent, and written down."""
