"""`python -m core` is the command `replyby`."""

from core.cli import main

main(prog_name="replyby")
