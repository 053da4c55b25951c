"""A model goes on learning from someone's own digits."""
