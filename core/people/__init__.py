"""Who is told: people, teams, duties and ladders of the settings. Pure, but for `rota.read`.

What lives here decides whom a target such as ``duty:night`` means at an instant. It never asks the
database and never sends anything: `core.routing` says which targets a notice has.
"""
