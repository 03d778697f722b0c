"""Shopify stores on loopback: orders, disputes, signed webhooks, an Admin API, a mail server.

Written from Shopify's documentation, apart from the connector: it shares no code with it. `graphql`
understands questions, `shop` is what is asked about, `schema` says which fields there are.
"""
