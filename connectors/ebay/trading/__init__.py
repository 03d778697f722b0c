"""Messages by the Trading API: the fallback of a seller whose consent lacks the scope of messages.

`fallback` is what the connector hands its calls to; `calls` asks and sends, `xml` and `payload` are
what comes, `mapping` what it means (pure), `reading` walks and looks, `answering` sends.
"""
