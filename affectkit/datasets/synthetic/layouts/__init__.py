"""The layouts of synthetic datasets; to add one, add a module here and a line to `LAYOUTS`."""

from affectkit.datasets.synthetic.layouts import (
    afew_va,
    affectnet_2017,
    affectnet_2021,
    affwild,
    affwild2,
    affwild2_crops,
    omg,
    recola,
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
    "affwild2_2020": affwild2.LAYOUT_2020,
    "affwild2_crops": affwild2_crops.LAYOUT,
    "omg": omg.LAYOUT,
    "recola": recola.LAYOUT,
    "recola_csv": recola.CSV_LAYOUT,
    "sewa": sewa.LAYOUT,
    "table": table.LAYOUT,
}

__all__ = ["LAYOUTS", "Layout"]
