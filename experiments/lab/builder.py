"""A component of PsychoPy's Builder: a routine in which one of our trials runs.

PsychoPy finds it by the entry point group `psychopy.experiment.components`, and calls
its methods by their names when an experiment is written out as a script.
"""

from typing import Any

from psychopy.experiment.components import (  # pyright: ignore[reportMissingImports]
    BaseComponent,
    Param,
)

# Of each parameter: its default, PsychoPy's type, tab, label and hint.
_PARAMETERS = {
    "protocol": ("bar-in-noise", "str", "Basic", "Protocol",
                 "Name of a shipped protocol, or path of a TOML file."),
    "trials": ("", "code", "Basic", "Main trials",
               "In all, instead of the protocol's; the loop may have more."),
    "contrast": ("", "code", "Basic", "Contrast",
                 "Of all main trials, instead of the protocol's."),
    "forceEndRoutine": (True, "bool", "Basic", "Force end of Routine",
                        "Whether the routine is over when the trial is."),
    "log": ("", "str", "Data", "Trial log",
            "File that responses go to, as with `yoked lab`; blank: none. PsychoPy's "
            "own data file has them in any case."),
    "participant": ("$expInfo['participant']", "str", "Data", "Participant",
                    "A code, never a name."),
    "resume": ("", "str", "Data", "Resume session",
               "Id of the session in the log that is to go on; blank: a new one."),
    "monitor": ("", "str", "Hardware", "Monitor",
                "As `yoked calibrate` stored it; blank: levels go as they are."),
    "refresh": ("", "code", "Hardware", "Refresh rate (Hz)",
                "Only for a screen that has none, such as a virtual one."),
    "keyboard": ("auto", "str", "Hardware", "Keyboard",
                 "auto, ptb or event: where keys come from."),
}  # fmt: skip
_INIT = """\
{name} = NoiseTrial(
    win, {protocol}, log={log} or None, participant=str({participant}),
    trials={trials}, contrast={contrast}, monitor={monitor}, resume={resume} or None,
    refresh_hz={refresh}, keyboard={keyboard}, is_new=not {resume},
)
{name}.status = NOT_STARTED
"""
_RUN = """\
{name}.row = {name}.run()  # the whole trial, flip by flip
{name}.status = FINISHED
for _column, _value in ({name}.row or {{}}).items():
    {add}('{name}.' + _column, _value)
"""


class NoiseTrialComponent(BaseComponent):
    """One trial of a Yoked protocol; the loop around the routine repeats it."""

    categories = ["Stimuli", "Responses"]  # noqa: RUF012 - as PsychoPy has it
    targets = ["PsychoPy"]  # noqa: RUF012
    plugin = "yoked"
    version = "2026.2.0"
    tooltip = "Noise trial: shows a trial of a Yoked protocol and takes its response"

    def __init__(
        self, exp: Any, parentName: str, name: str = "noise_trial", **given: Any
    ) -> None:
        super().__init__(exp, parentName, name, startType="time (s)", startVal="0.0")
        self.type = "NoiseTrial"
        exp.requireImport(importName="NoiseTrial", importFrom="yoked.psychopy")
        for key, (default, kind, tab, label, hint) in _PARAMETERS.items():
            self.params[key] = Param(
                given.get(key, default), valType=kind, categ=tab, label=label,
                hint=hint, updates="constant", allowedTypes=[],
                inputType="bool" if kind == "bool" else "single",
            )  # fmt: skip
        self.order += list(_PARAMETERS)
        for key in ("stopType", "stopVal", "startEstim", "durationEstim"):
            self.hideParam(key)  # the trial is over when it is

    def writeInitCode(self, buff: Any) -> None:
        """Write what opens the session."""
        buff.writeIndentedLines(_INIT.format(**self._cells()))

    def writeFrameCode(self, buff: Any) -> None:
        """Write what runs the trial, in the frame in which it starts."""
        indented = self.writeStartTestCode(buff)
        code = _RUN
        if self.exp.settings.params["Enable Escape"].val:
            code += "if {name}.paused:\n    thisExp.status = FINISHED\n"
        if self.params["forceEndRoutine"].val:
            code += "continueRoutine = False\n"
        buff.writeIndentedLines(code.format(**self._cells(), add=self._add_data()))
        buff.setIndentLevel(-indented, relative=True)

    def writeExperimentEndCode(self, buff: Any) -> None:
        """Write what lets go of the session."""
        buff.writeIndentedLines("{name}.close()\n".format(**self._cells()))

    def _cells(self) -> dict[str, str]:
        """Give the parameters as they stand in a script; blank code is None."""
        return {key: str(self.params[key]) or "None" for key in ("name", *_PARAMETERS)}

    def _add_data(self) -> str:
        """Give the function of the innermost loop that keeps data."""
        loops = self.exp.flow._loopList
        loop = loops[-1] if loops else self.exp._expHandler
        name = "addOtherData" if "Stair" in loop.type else "addData"
        return f"{loop.params['name']}.{name}"
