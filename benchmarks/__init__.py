"""What a verification costs, side by side with what one would write by hand. See README.md."""
