"""UN/CEFACT unit codes, as NGSI carries them, into the catalogue's units. Pure."""

# code or catalogue's unit → (dimension, factor, offset) to the dimension's own unit
_UNITS: dict[str, tuple[str, float, float]] = {
    "MTS": ("speed", 3.6, 0), "KMH": ("speed", 1, 0), "km/h": ("speed", 1, 0),
    "m/s": ("speed", 3.6, 0),
    "GQ": ("density", 1, 0), "GP": ("density", 1000, 0), "µg/m³": ("density", 1, 0),
    "MTR": ("length", 1, 0), "CMT": ("length", 0.01, 0), "MMT": ("length", 0.001, 0),
    "m": ("length", 1, 0),
    "CEL": ("temperature", 1, 0), "FAH": ("temperature", 5 / 9, -160 / 9),
    "KEL": ("temperature", 1, -273.15), "°C": ("temperature", 1, 0),
    "PAL": ("pressure", 0.01, 0), "A97": ("pressure", 1, 0), "MBR": ("pressure", 1, 0),
    "KPA": ("pressure", 10, 0), "BAR": ("pressure", 1000, 0), "hPa": ("pressure", 1, 0),
    "kPa": ("pressure", 10, 0),
    "P1": ("share", 1, 0), "C62": ("share", 100, 0), "%": ("share", 1, 0),
    "WTT": ("power", 0.001, 0), "KWT": ("power", 1, 0), "MAW": ("power", 1000, 0),
    "kW": ("power", 1, 0), "MW": ("power", 1000, 0),
    "VLT": ("voltage", 1, 0), "KVT": ("voltage", 1000, 0), "V": ("voltage", 1, 0),
    "2N": ("sound", 1, 0), "dB": ("sound", 1, 0),
    "MQH": ("flow", 1, 0), "m³/h": ("flow", 1, 0),
}  # fmt: skip


def convert(value: float, code: str, unit: str) -> float | None:
    """`value` of the unit `code` in the catalogue's `unit`; None if that cannot be."""
    if code == unit:
        return value
    given, wanted = _UNITS.get(code), _UNITS.get(unit)
    if given is None or wanted is None or given[0] != wanted[0]:
        return None
    if given[1:] == wanted[1:]:
        return value
    return rounded((value * given[1] + given[2] - wanted[2]) / wanted[1])


def rounded(value: float) -> float:
    """Without the dust that binary fractions leave behind a conversion."""
    return float(f"{value:.12g}")
