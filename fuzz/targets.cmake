# weir_fuzz(name LINKS weir_module): one line per target.
