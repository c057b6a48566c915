"""What stands behind each command line verb: it parses, calls a room's front door, prints."""
