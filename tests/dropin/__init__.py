"""The drop-in endpoints, through clients written from the peers' documented formats alone."""
