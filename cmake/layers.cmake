# The layers: which part of include/multiprocessing/ lies where. A header includes its own layer and lower ones only.
# A part is a header at the top or a folder of the same name; a longer name (dummy/process) wins over a shorter one, and
# <name>.hpp over both: that header alone.
set(layer_0 config version fwd errors timeout detail pickle/fwd)
set(layer_1 platform)
set(layer_2 heap synchronize util)
set(layer_3 object pickle reduction synchronize.hpp synchronize/barrier synchronize/barrier_action)
set(layer_4 connection queues shared sharedctypes shared_memory)
set(layer_5 start_method process popen_fork popen_spawn popen_forkserver spawn forkserver
            dummy/process dummy/connection dummy/queue dummy/synchronize)
set(layer_6 pool managers futures)
set(layer_7 context dummy multiprocessing)

# Sets `out` to the layer of a header, given by its path below include/ (without ".hpp"), or to "" if it has none.
function(multiprocessing_layer_of header out)
  set(${out} "" PARENT_SCOPE)
  string(REGEX REPLACE "^multiprocessing/" "" path ${header})
  string(REGEX MATCH "^[^/]+(/[^/]+)?" two ${path})
  string(REGEX MATCH "^[^/]+" one ${path})
  foreach(part IN ITEMS ${path}.hpp ${two} ${one})
    foreach(layer RANGE 0 7)
      if(part IN_LIST layer_${layer})
        set(${out} ${layer} PARENT_SCOPE)
        return()
      endif()
    endforeach()
  endforeach()
endfunction()
