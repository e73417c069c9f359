"""The tables of the page of figures, by what they are about: cases, calls and people."""
