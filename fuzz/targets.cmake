# weir_fuzz(name LINKS weir_module): one line per target.
weir_fuzz(http_request LINKS weir_net)
weir_fuzz(http_response LINKS weir_net)
