"""What the reading benchmarks read: other people's handwriting, made-up pages, and non-digits."""
