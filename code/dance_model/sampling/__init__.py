"""From music to dances: long ones, edited ones, guided ones, and their files."""
