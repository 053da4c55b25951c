"""What each augmentation is worth: the command, what is trained, and what came of it."""
