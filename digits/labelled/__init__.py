"""Labelled images that someone brings, opened: MNIST, data in its form, or pictures in folders."""
