"""Shops whose platform has no inbox: what a buyer remarks on an order is all that they say there.

`placed` makes a thread of such an order, `changes` walks through orders by the date of their
change, `text` reads what platforms keep as HTML, `walls` knows what stands before a shop. All is
pure.
"""
