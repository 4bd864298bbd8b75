"""What the source of functions shows that they change, read and start outside of themselves."""
