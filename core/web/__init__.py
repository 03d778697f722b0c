"""What is served: `ops` for machines that watch, `push` for marketplaces that call, the board.

`site` joins the board's rooms; `app` opens a listener for each of the three.
"""
