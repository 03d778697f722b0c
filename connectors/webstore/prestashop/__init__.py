"""PrestaShop: a shop's customer service, read by its webservice and answered by mail.

`reading` walks by the number of the message, `mapping` is pure, `answering` writes the letter that
must really go out and the row by which the back office shows it. Trap numbers are README.md's.
"""
