"""What carriers say and how they say it: vendor words stay in here."""
