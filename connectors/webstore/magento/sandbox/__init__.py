"""Magento shops on loopback: orders with their histories, comments that are mailed.

Written from Magento's documentation, source and issues, apart from the connector: it shares no code
with it.
"""
