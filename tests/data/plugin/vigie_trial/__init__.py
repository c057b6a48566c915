"""A room of someone else's: bicycles that were found. Nothing of the product knows it."""
