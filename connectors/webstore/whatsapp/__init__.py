"""A number at WhatsApp's Cloud API: what people write is pushed, and nowhere to be read again.

`mapping` is what of a push becomes ours, `content` how each type of message is shown, `answering`
what leaves. What it shares with Messenger and Instagram stands in `connectors.webstore.meta`.
"""
