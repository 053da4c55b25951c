"""Digits and letters of handwriting and printing fonts."""
