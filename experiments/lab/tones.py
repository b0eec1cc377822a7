"""Feedback by tones, through PsychoPy's sound; where there is no sound, it is said."""

from ..protocols.answers import Feedback

NO_SOUND = "Tones cannot be played here ({}): feedback is written on the screen."


class Tones:
    """The two tones of a protocol's feedback, made beforehand.

    Parameters
    ----------
    feedback
        Their frequencies and duration.

    Raises
    ------
    OSError
        If no sound can be played on this machine.
    """

    def __init__(self, feedback: Feedback) -> None:
        pitches = {True: feedback.correct_hz, False: feedback.wrong_hz}
        try:
            from psychopy import sound  # pyright: ignore[reportMissingImports]

            self._sounds = {
                correct: sound.Sound(hz, secs=feedback.tone_ms / 1000)
                for correct, hz in pitches.items()
            }
        except Exception as error:  # libraries and drivers have many kinds
            raise OSError(str(error).strip() or type(error).__name__) from error

    def play(self, correct: bool) -> None:
        """Start the tone of a correct response, or of a wrong one."""
        self._sounds[correct].stop()
        self._sounds[correct].play()
