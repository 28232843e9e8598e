@python "%~dp0indexer" %*
