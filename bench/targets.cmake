# One line per benchmark or load tool.
weir_benchmark(admission SOURCES admission_bench.cpp LINKS weir_auth weir_quota)
weir_benchmark(guardrail SOURCES guardrail_bench.cpp LINKS weir_guardrail)
