"""The JSON API: what a person can do on the board, for programs. It holds no rule of its own."""
