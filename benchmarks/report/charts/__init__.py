"""Pictures of figures: small SVG files, written by hand, readable in light and dark, and by screen readers."""
