"""What the kinds behind Meta's Graph API share: WhatsApp, Messenger, Instagram.

`access` asks and sends, `refusals` says what a refusal means, `door` is how a push proves itself,
`envelope` what it is in, `receiving` whom of the app's accounts it concerns, `registered` and
`subscribing` how it is set up there, `window` the time in which Meta lets a business answer.
Nothing here is a kind.
"""
