from tests.control.conftest import (
    api,
    installed,
    installed_for_one,
    pytest_generate_tests,
    runtime,
    server,
)

__all__ = ["api", "installed", "installed_for_one", "pytest_generate_tests", "runtime", "server"]
