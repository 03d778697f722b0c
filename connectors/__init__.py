"""connectors translate: one marketplace's words into ours, one folder each.

Here: a folder for each kind of marketplace API; delete the folder and it is gone.
Imported by: nobody; core finds them by the entry points `replyby.connectors.v1`.
Never: retries, sleeps, logs a body, or imports another connector.
"""
