"""Commands that stand apart from `core.cli`, by what they are for; imports are late."""
