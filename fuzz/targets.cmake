# weir_fuzz(name LINKS weir_module): one line per target.
weir_fuzz(http_request LINKS weir_net)
weir_fuzz(http_response LINKS weir_net)
weir_fuzz(json LINKS weir_dialect)
weir_fuzz(openai_chat LINKS weir_dialect)
weir_fuzz(sse LINKS weir_dialect)
weir_fuzz(config LINKS weir_config)
weir_fuzz(guardrail LINKS weir_guardrail)
weir_fuzz(stream_relay LINKS weir_pipeline)
