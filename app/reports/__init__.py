"""Pages and pictures for people who read results."""
