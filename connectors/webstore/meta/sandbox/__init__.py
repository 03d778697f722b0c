"""A stand-in for Meta's Graph API on loopback: numbers, pages and profiles of invented sellers.

Written from what Meta documents, apart from the connector: it shares no code with it.
"""
