"""What is wrong with rows, and what to do about it: duplicates, languages, phrases, personal data, labels, balance."""
