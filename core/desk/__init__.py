"""What a person does about a thread, whether a page, the API or a command asks for it."""
