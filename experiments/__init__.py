"""What a trial is: protocol, noise, signal, schedule, session and trial log."""
