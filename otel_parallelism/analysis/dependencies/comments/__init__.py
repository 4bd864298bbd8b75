"""What the model wrote beside its calls, and whether it may be why a call was made."""
