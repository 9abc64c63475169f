"""Published layouts that drawn people can be written in; adding one is a file and a line here."""

from affectkit.datasets.synthetic.layouts import (
    afew_va,
    affectnet_2017,
    affectnet_2021,
    affwild,
    affwild2,
    affwild2_2020,
    affwild2_crops,
    omg,
    recola,
    recola_csv,
    sewa,
    table,
)
from affectkit.datasets.synthetic.layouts.layout import Layout

LAYOUTS: dict[str, Layout] = {
    "afew_va": afew_va.LAYOUT,
    "affectnet_2017": affectnet_2017.LAYOUT,
    "affectnet_2021": affectnet_2021.LAYOUT,
    "affwild": affwild.LAYOUT,
    "affwild2": affwild2.LAYOUT,
    "affwild2_2020": affwild2_2020.LAYOUT,
    "affwild2_crops": affwild2_crops.LAYOUT,
    "omg": omg.LAYOUT,
    "recola": recola.LAYOUT,
    "recola_csv": recola_csv.LAYOUT,
    "sewa": sewa.LAYOUT,
    "table": table.LAYOUT,
}

__all__ = ["LAYOUTS", "Layout"]
