# cmake -DNODE= -DNPM= -DWEB= -DSTAMP= -P web_packages.cmake
# Runs `npm ci` in WEB unless its node_modules was made from this very lock file on this kind of machine. The mark lies
# inside node_modules, so that all build folders share it; a lock lets two builds at once do it only once.
file(LOCK ${WEB}/.packages.lock GUARD PROCESS TIMEOUT 600)

execute_process(COMMAND ${NODE} -p "process.platform + '-' + process.arch" OUTPUT_VARIABLE machine
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
file(SHA256 ${WEB}/package-lock.json hash)
set(mark ${WEB}/node_modules/.wirebird-packages)
set(wanted "${machine} ${hash}")
set(present "")
if(EXISTS ${mark})
  file(READ ${mark} present)
endif()

if(NOT present STREQUAL wanted)
  message(STATUS "Fetching the packages of the demo page")
  # No package needs its install script, so none gets to run one.
  execute_process(COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund WORKING_DIRECTORY ${WEB}
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${output}\nnpm ci failed in ${WEB}. It needs the network once; "
                        "-DWIREBIRD_WEB=OFF builds the server without its demo page.")
  endif()
  file(WRITE ${mark} "${wanted}")
endif()
file(TOUCH ${STAMP})
