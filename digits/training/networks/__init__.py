"""Networks: those that come with this program, the user's own, and how large one is."""
