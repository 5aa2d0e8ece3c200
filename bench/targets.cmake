# One line per benchmark or load tool.
weir_benchmark(admission SOURCES admission_bench.cpp LINKS weir_auth weir_quota)
weir_benchmark(guardrail SOURCES guardrail_bench.cpp LINKS weir_guardrail)
weir_benchmark(dialect SOURCES dialect_bench.cpp translate_bench.cpp LINKS weir_dialect)
weir_benchmark(ledger SOURCES ledger_bench.cpp LINKS weir_ledger)
weir_benchmark(tokens SOURCES tokens_bench.cpp LINKS weir_tokens)
target_compile_definitions(bench_tokens PRIVATE WEIR_SOURCE_FOLDER="${CMAKE_SOURCE_DIR}")
# What script/bench drives: plain programs, cheaper than what they measure.
find_package(OpenSSL REQUIRED)
foreach(tool mock load)
  add_executable(bench_${tool} EXCLUDE_FROM_ALL load/${tool}.cpp load/wire.cpp)
  target_precompile_headers(bench_${tool} REUSE_FROM weir_pch)
  target_link_libraries(bench_${tool} PRIVATE weir_pch OpenSSL::SSL)
endforeach()
