@python "%~dp0store" %*
