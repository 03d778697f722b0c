"""Amazon: buyers' messages as they travel, by relayed mail; answers go back the same way.

No API reads or answers them (trap 1). Here stands what needs no network: which letter is what
(`kinds`, `addresses`), what it says (`body`, `deadlines`), what follows from it (`mapping`,
`notices`), and what Amazon asks of a seller (`policies`). Trap numbers are those of README.md.
"""
