"""WooCommerce shops on loopback: orders, notes that are mailed, webhooks that are really signed.

Written from WooCommerce's documentation and source, apart from the connector: it shares no code
with it.
"""
