"""What the commands do; `core.cli` declares them and imports these late, so that help is fast."""
