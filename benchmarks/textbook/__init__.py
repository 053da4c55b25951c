"""The reference of every comparison: the Keras textbook CNN, trained as the textbooks do."""
