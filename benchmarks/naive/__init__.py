"""The peer: face verification as one writes it by hand in an afternoon. Not to be improved."""
