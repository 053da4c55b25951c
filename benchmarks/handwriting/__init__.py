"""The shipped model on other people's handwriting, on field pictures and on non-digits."""
