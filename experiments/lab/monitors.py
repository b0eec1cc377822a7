"""PsychoPy's own record of a monitor, as its Monitor Center shows it."""

from importlib.util import find_spec

from ..monitors.calibrations import Calibration


def save_monitor(calibration: Calibration) -> str | None:
    """Store width, distance, size and gamma where other PsychoPy scripts find them.

    Nothing of ours reads this gamma back: a window that was given such a monitor would
    load it into the graphics card, on top of the look-up table.

    Parameters
    ----------
    calibration
        What was measured.

    Returns
    -------
    str or None
        The name of the record in PsychoPy; None without PsychoPy.
    """
    if find_spec("psychopy") is None:
        return None
    from psychopy import logging, monitors  # pyright: ignore[reportMissingImports]

    logging.console.setLevel(logging.ERROR)  # "not found, creating one" is no news
    levels, values = zip(*calibration.readings, strict=True)
    monitor = monitors.Monitor(calibration.monitor, autoLog=False)
    monitor.newCalib(f"yoked {calibration.made_at[:19].replace(':', '-')}")
    monitor.setWidth(calibration.width_cm)
    monitor.setDistance(calibration.distance_cm)
    monitor.setSizePix(list(calibration.size_px))
    monitor.setGamma(calibration.fit.gamma)
    monitor.setMeanLum(calibration.fit.background_cd_m2)
    monitor.setLevelsPre(list(levels))
    monitor.setLumsPre(list(values))
    monitor.setNotes(f"yoked calibrate, {calibration.photometer}, {calibration.id}")
    monitor.save()
    return calibration.monitor


def monitor_geometry(name: str) -> dict[str, object]:
    """Give width_cm, size_px and distance_cm as far as PsychoPy knows them.

    Parameters
    ----------
    name
        Of the monitor; an unknown one, or no PsychoPy at all, gives {}.
    """
    if find_spec("psychopy") is None:
        return {}
    from psychopy import logging, monitors  # pyright: ignore[reportMissingImports]

    logging.console.setLevel(logging.ERROR)
    if name not in monitors.getAllMonitors():
        return {}
    monitor = monitors.Monitor(name, autoLog=False)
    size = monitor.getSizePix()
    known = {
        "width_cm": monitor.getWidth(),
        "size_px": None if size is None else (int(size[0]), int(size[1])),
        "distance_cm": monitor.getDistance(),
    }
    return {key: value for key, value in known.items() if value}
