"""Files of sources: catalog files, and the scripts of journeys beside them."""
