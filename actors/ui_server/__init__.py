"""The process that serves a ui-bundle: static files, and a proxy to the bundle's API.

Only this process imports aiohttp, which is one well-kept project with a C parser (llhttp) that has
what is needed in both directions: a server and a client that stream with back-pressure, and
connections that can be taken over after an upgrade. uvicorn with httpx and websockets would be
four projects without that last part, Tornado's client buffers answers, and http.server parses in
Python, a thread for each connection. What aiohttp's own file answers leave out (several ranges,
q-values, names that mean something else on another platform) is done here.
"""
