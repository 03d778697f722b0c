"""BigCommerce stores on loopback: orders, messages, webhooks that are really signed, a mail server.

Written from BigCommerce's documentation, apart from the connector: it shares no code with it.
"""
