# The demo page: web/ is built by Vite into the build folder and compiled into the binary as api/assets.
#
# wirebird_web_assets(VARIABLE) sets VARIABLE to the C++ source that defines api::assets(). It is made again when a
# source of the page changes. Without Node 18 or newer it is the plain page, and the server is otherwise the same.
#
# Network: only `npm ci`, and only when web/package-lock.json is not what web/node_modules was made from.
option(WIREBIRD_WEB "Build the demo page into the binary (needs Node 18 or newer, and npm)" ON)

set(WIREBIRD_WEB_DIR ${PROJECT_SOURCE_DIR}/web)

# Finds WIREBIRD_NODE and WIREBIRD_NPM, or says why the page is left out.
function(wirebird_find_node reason)
  set(${reason} "" PARENT_SCOPE)
  if(NOT WIREBIRD_WEB)
    set(${reason} "WIREBIRD_WEB is OFF" PARENT_SCOPE)
    return()
  endif()
  find_program(WIREBIRD_NODE NAMES node nodejs)
  find_program(WIREBIRD_NPM npm)
  if(NOT WIREBIRD_NODE OR NOT WIREBIRD_NPM)
    set(${reason} "there is no Node.js or no npm" PARENT_SCOPE)
    return()
  endif()
  execute_process(COMMAND ${WIREBIRD_NODE} --version OUTPUT_VARIABLE version OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  string(REGEX REPLACE "^v" "" version "${version}")
  if(NOT version VERSION_GREATER_EQUAL 18)
    set(${reason} "Node.js ${version} is older than 18" PARENT_SCOPE)
  endif()
endfunction()

wirebird_find_node(WIREBIRD_NO_WEB_REASON)

if(NOT WIREBIRD_NO_WEB_REASON)
  # A glob, unlike in the rooms: a page source that is forgotten in a list would not fail to link, it would only fail to
  # be rebuilt, and nobody would notice.
  file(GLOB_RECURSE WIREBIRD_WEB_SOURCES CONFIGURE_DEPENDS ${WIREBIRD_WEB_DIR}/src/* ${WIREBIRD_WEB_DIR}/public/*)
  list(FILTER WIREBIRD_WEB_SOURCES EXCLUDE REGEX "\\.test\\.ts$")
  list(APPEND WIREBIRD_WEB_SOURCES ${WIREBIRD_WEB_DIR}/index.html ${WIREBIRD_WEB_DIR}/vite.config.ts)

  set(WIREBIRD_WEB_PACKAGES ${CMAKE_BINARY_DIR}/web/packages.stamp)
  add_custom_command(
    OUTPUT ${WIREBIRD_WEB_PACKAGES}
    DEPENDS ${WIREBIRD_WEB_DIR}/package.json ${WIREBIRD_WEB_DIR}/package-lock.json
            ${PROJECT_SOURCE_DIR}/cmake/web_packages.cmake
    COMMAND ${CMAKE_COMMAND} -DNODE=${WIREBIRD_NODE} -DNPM=${WIREBIRD_NPM} -DWEB=${WIREBIRD_WEB_DIR} -DSTAMP=${WIREBIRD_WEB_PACKAGES}
            -P ${PROJECT_SOURCE_DIR}/cmake/web_packages.cmake
    COMMENT "Checking the packages of the demo page"
    VERBATIM)
  add_custom_target(wirebird_web_packages DEPENDS ${WIREBIRD_WEB_PACKAGES})
endif()

function(wirebird_web_assets variable)
  if(WIREBIRD_NO_WEB_REASON)
    message(STATUS "Demo page: left out, ${WIREBIRD_NO_WEB_REASON}")
    set(${variable} ${PROJECT_SOURCE_DIR}/src/api/assets_plain.cc PARENT_SCOPE)
    return()
  endif()
  set(dist ${CMAKE_BINARY_DIR}/web/dist)
  set(source ${CMAKE_BINARY_DIR}/web/assets_page.cc)
  add_custom_command(
    OUTPUT ${source}
    DEPENDS ${WIREBIRD_WEB_PACKAGES} ${WIREBIRD_WEB_SOURCES} ${PROJECT_SOURCE_DIR}/tools/embed_assets.mjs
    COMMAND ${WIREBIRD_NODE} node_modules/vite/bin/vite.js build --logLevel warn --outDir ${dist} --emptyOutDir
    COMMAND ${WIREBIRD_NODE} ${PROJECT_SOURCE_DIR}/tools/embed_assets.mjs ${dist} ${source}
    WORKING_DIRECTORY ${WIREBIRD_WEB_DIR}
    COMMENT "Building the demo page"
    VERBATIM)
  set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS -Wno-overlength-strings)  # a page is longer than clang likes
  set(${variable} ${source} PARENT_SCOPE)
endfunction()

# Adds the tests of the page, if there is one. They wait for the end of the top-level directory (whose variables are not
# ours), when it is known whether there is a binary to test.
function(wirebird_web_tests)
  if(NOT WIREBIRD_NO_WEB_REASON)
    cmake_language(DEFER DIRECTORY ${PROJECT_SOURCE_DIR} CALL wirebird_web_tests_now)
  endif()
endfunction()

function(wirebird_web_tests_now)
  set(web ${PROJECT_SOURCE_DIR}/web)
  # What does not depend on how the server was compiled is tested once, not again under every sanitizer.
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    add_test(NAME web_unit COMMAND ${WIREBIRD_NODE} node_modules/vitest/vitest.mjs run WORKING_DIRECTORY ${web})
    add_test(NAME web_types COMMAND ${WIREBIRD_NODE} node_modules/svelte-check/bin/svelte-check --fail-on-warnings
             WORKING_DIRECTORY ${web})
    add_test(NAME web_format COMMAND ${WIREBIRD_NODE} node_modules/prettier/bin/prettier.cjs --check src e2e vite.config.ts
             WORKING_DIRECTORY ${web})
    set_tests_properties(web_unit web_types web_format PROPERTIES TIMEOUT 300)
  endif()
  if(TARGET wirebird)
    add_test(NAME web_e2e COMMAND ${WIREBIRD_NODE} ${web}/e2e/run.mjs)
    set_tests_properties(web_e2e PROPERTIES
      ENVIRONMENT "WIREBIRD=$<TARGET_FILE:wirebird>" SKIP_RETURN_CODE 77 TIMEOUT 900)
  endif()
endfunction()
