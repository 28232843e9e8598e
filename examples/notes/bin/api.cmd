@python "%~dp0api" %*
