"""The process that serves a ui-bundle: static files, and a proxy to the bundle's API.

HTTP is read by httptools, a binding of Node's parser (llhttp) that the project of uvloop keeps; all
else is asyncio's protocols and transports, with back-pressure in both directions and connections
that are taken over after an upgrade. Only this process imports it. aiohttp has the same parser and
does more, most of which serves nothing here: it took 10 MiB more and half the rate. h11 parses in
Python, and so does http.server, with a thread for each connection.
"""
