"""Magento 2 (Adobe Commerce): what buyers remark on orders, answered by comments that it mails.

`reading` walks through the orders that changed, `faults` says what its errors mean; `mapping` is
pure. Trap numbers are README.md's.
"""
