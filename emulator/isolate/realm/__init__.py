"""The realm: one JavaScript world with the Web platform of Workers."""
