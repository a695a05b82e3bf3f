"""What a teacher gets: the lab in two versions and its sheet with points, from one source, and the slides."""
