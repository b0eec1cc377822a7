"""What the browser gets, served by `app.web`: no Python but this line."""
