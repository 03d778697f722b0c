"""A store that nobody here has heard of: what its JSON means stands in the settings.

`meaning` is the table that says it and `mapping` what is made of it; `asking` and `signing` are how
the store is asked and how it signs what it pushes. No line of code belongs to any one store.
"""
