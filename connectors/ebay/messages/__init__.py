"""Conversations of eBay's Message API v1: read, looked at, answered, marked as read on request.

`conversations` is what the connector hands its calls to. `payload` is what comes, `body` and
`mapping` what it means, `walking` how far a walk has come (all pure); `reading` walks and looks,
`answering` sends, `media` prepares the files of an answer, `marking` marks as read.
"""
