"""What Messenger and Instagram share: chats with a page, or with a profile that hangs on one.

Both are pushed, and both can be read again by the Conversations API: what is pushed has us look
sooner, and is stored before it is acknowledged.
"""
