"""The example's own tests run where it is installed: see `test_foreign`."""

collect_ignore = ["example"]
