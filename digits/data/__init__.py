"""What networks are trained and measured on: MNIST, drawn digits and non-digits, corruptions."""
