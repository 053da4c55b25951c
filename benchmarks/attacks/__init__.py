"""The service under attack, with little memory."""
