@python "%~dp0migrate" %*
