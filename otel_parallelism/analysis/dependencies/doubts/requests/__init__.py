"""What the sentences of the user ask for."""
