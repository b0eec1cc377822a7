"""How a network learns a task: practice trials, losses, schedules."""
