"""Where things are: territory, municipalities, streets, and finding them by name."""
