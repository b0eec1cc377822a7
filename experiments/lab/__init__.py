"""The lab's presenter: the only room that imports PsychoPy."""
