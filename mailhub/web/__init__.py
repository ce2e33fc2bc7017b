"""Pages: what a program watches, what staff fetch, what readers press. GET never changes anything."""
