"""Whole pieces of pages: a view in, components out; what several pages share lives in `dashboard.components`."""
