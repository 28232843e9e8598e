"""Content types by suffix, from a fixed table.

:mod:`mimetypes` reads the Windows registry, where an installed program can turn ``.js`` into
``text/plain``: browsers then refuse to run modules. The names are those of the IANA registry;
``text/javascript`` is RFC 9239, ``font/*`` RFC 8081, ``application/wasm`` what
``WebAssembly.instantiateStreaming`` insists on.
"""

from __future__ import annotations

from functools import lru_cache

_UNKNOWN = "application/octet-stream"

_TYPES = {
    "aac": "audio/aac",
    "apng": "image/apng",
    "atom": "application/atom+xml",
    "avif": "image/avif",
    "bin": _UNKNOWN,
    "bmp": "image/bmp",
    "bz2": "application/x-bzip2",
    "cjs": "text/javascript",
    "css": "text/css",
    "csv": "text/csv",
    "cur": "image/vnd.microsoft.icon",
    "eot": "application/vnd.ms-fontobject",
    "epub": "application/epub+zip",
    "flac": "audio/flac",
    "geojson": "application/geo+json",
    "gif": "image/gif",
    "glb": "model/gltf-binary",
    "gltf": "model/gltf+json",
    "gz": "application/gzip",
    "htm": "text/html",
    "html": "text/html",
    "ico": "image/vnd.microsoft.icon",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "js": "text/javascript",
    "json": "application/json",
    "jsonld": "application/ld+json",
    "jxl": "image/jxl",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "map": "application/json",
    "md": "text/markdown",
    "mjs": "text/javascript",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "otf": "font/otf",
    "pdf": "application/pdf",
    "png": "image/png",
    "rss": "application/rss+xml",
    "rtf": "application/rtf",
    "svg": "image/svg+xml",
    "svgz": "image/svg+xml",
    "tar": "application/x-tar",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "toml": "application/toml",
    "ts": "video/mp2t",
    "ttc": "font/collection",
    "ttf": "font/ttf",
    "txt": "text/plain",
    "vtt": "text/vtt",
    "wasm": "application/wasm",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "webm": "video/webm",
    "webmanifest": "application/manifest+json",
    "webp": "image/webp",
    "woff": "font/woff",
    "woff2": "font/woff2",
    "xhtml": "application/xhtml+xml",
    "xml": "application/xml",
    "xsl": "application/xslt+xml",
    "yaml": "application/yaml",
    "yml": "application/yaml",
    "zip": "application/zip",
    "zst": "application/zstd",
}


@lru_cache(maxsize=256)
def content_type(name: str) -> str:
    """Return the Content-Type for a file name; text is declared to be UTF-8."""
    _, dot, suffix = name.rpartition(".")
    found = _TYPES.get(suffix.lower(), _UNKNOWN) if dot else _UNKNOWN
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def own_encoding(name: str) -> str:
    """Return the content coding that belongs to the file's format itself (``.svgz`` is gzip)."""
    return "gzip" if name.lower().endswith(".svgz") else ""
