# How a module of src/ is declared:
#
#   weir_module(quota SOURCES gcra.cpp quota.cpp TESTS gcra_test.cpp LINKS weir::third_party)
#
# makes the static library weir_quota, the test program weir_quota_test (one ctest entry per test) and links
# what the DAG in src/CMakeLists.txt allows. Sources are listed by hand: a glob hides what is built.

# SANITIZED marks a module whose tests also run under ASan + UBSan in CI: anything with threads, buffers or parsing.
add_custom_target(sanitized_tests)
add_custom_target(fuzzers)

# All compile against one precompiled header, the standard library and fmt.
add_library(weir_pch STATIC ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_precompile_headers(weir_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.h)
target_include_directories(weir_pch PUBLIC ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(weir_pch PUBLIC fmt::fmt)

macro(weir_dag_begin)
  set(WEIR_MODULES)
endmacro()
macro(weir_allow name)
  list(APPEND WEIR_MODULES ${name})
  set(WEIR_ALLOWED_${name} ${ARGN})
endmacro()
macro(weir_dag_end)
  foreach(_module IN LISTS WEIR_MODULES)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${_module}/CMakeLists.txt)
      list(APPEND WEIR_PRESENT ${_module})
    endif()
  endforeach()
  foreach(_module IN LISTS WEIR_PRESENT)
    add_subdirectory(${_module})
  endforeach()
endmacro()

function(weir_module name)
  cmake_parse_arguments(ARG "SANITIZED" "" "SOURCES;TESTS;LINKS;TEST_LINKS" ${ARGN})
  add_library(weir_${name} STATIC ${ARG_SOURCES})
  target_precompile_headers(weir_${name} REUSE_FROM weir_pch)
  target_link_libraries(weir_${name} PUBLIC weir_pch)
  foreach(dependency IN LISTS WEIR_ALLOWED_${name})
    if(dependency IN_LIST WEIR_PRESENT)
      target_link_libraries(weir_${name} PUBLIC weir_${dependency})
    endif()
  endforeach()
  target_link_libraries(weir_${name} PUBLIC ${ARG_LINKS})
  if(WEIR_TESTS AND ARG_TESTS)
    add_executable(weir_${name}_test ${ARG_TESTS})
    target_precompile_headers(weir_${name}_test REUSE_FROM weir_pch)
    target_link_libraries(weir_${name}_test PRIVATE weir_${name} ${ARG_TEST_LINKS}
                          GTest::gtest GTest::gtest_main)
    # One label each: a list does not survive the discovery of tests.
    set(label unit)
    if(ARG_SANITIZED)
      set(label sanitized)
      add_dependencies(sanitized_tests weir_${name}_test)
    endif()
    gtest_discover_tests(weir_${name}_test TEST_PREFIX ${name}/ DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES
                         PROPERTIES TIMEOUT 120 LABELS ${label})
  endif()
endfunction()
