"""Stores of every shape on loopback: each reads its account's settings to know how to speak.

What a store writes is made by following the same expressions backwards (`writing`); how it signs
and pages stands here once more, in its own words.
"""
