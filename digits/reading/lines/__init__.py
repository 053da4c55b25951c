"""A line of ink -> its characters."""
