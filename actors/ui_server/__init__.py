"""The process that serves a ui-bundle: static files, and a proxy to the bundle's API."""
