"""An import on its way: judged, recorded, gone on with where it stopped."""
