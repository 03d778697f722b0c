"""Pushes of eBay's Notification API: taken, set up, and looked after.

A request proves itself first (`signature`, with the keys of `keys`), then it is understood
(`topics`). `registered` reads what is set up there, `subscribing` sets it up. `pushes.Pushes` is
the door.
"""
