"""Calling a server politely: patience, pace, money, secrets, and reading what it says. No network and no SDK here."""
