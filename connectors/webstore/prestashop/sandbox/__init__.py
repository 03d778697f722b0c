"""A PrestaShop on loopback: its webservice in XML and JSON, its customer service, its mail server.

Written from PrestaShop's documentation and source, apart from the connector: it shares no code
with it.
"""
