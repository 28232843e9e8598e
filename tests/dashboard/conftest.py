from tests.control.conftest import api, runtime, server

__all__ = ["api", "runtime", "server"]
