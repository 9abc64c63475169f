"""What this process serves: filled by the pages, read by the routes."""

from affectkit.player.media import Catalogue

CATALOGUE = Catalogue()
