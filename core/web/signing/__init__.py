"""How somebody is known on the board: by cookie, token, provider or proxy; what a form has to show.

Decides nothing about what they may: that is `core.access`. Holds no rule of people, passwords and
tokens either: those are `core.desk`.
"""
