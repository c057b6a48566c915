"""Buildings: fire, intrusion, access control, technical points, energy."""
