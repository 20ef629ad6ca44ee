// SPDX-License-Identifier: MIT
// multiprocessing/platform/system.hpp — what a process can ask about itself and its machine.
// Layer 1 (platform). Mirrors `os.cpu_count`, `sys.executable`, `sys.argv` and the like.
#pragma once

// cpu_count          processors of the machine that are online. At least 1.
// process_cpu_count  those that this process may use: its affinity and, on Linux, the quota of its
//                    control groups, rounded up. At least 1.
// executable_path    a path that starts this very program again. Linux: /proc/self/exe, resolved as
//                    long as the name still leads to the file that runs.
// program_arguments  the arguments this process was started with, the program's name first; works
//                    before main. Linux: /proc/self/cmdline.  Windows: GetCommandLineW, as UTF-8.
// working_directory, change_directory
// secure_mode        whether the program has more rights than who started it (AT_SECURE), so that
//                    neither arguments nor environment may steer it.  Windows: false.
// random_bytes       fit for keys. Linux: getrandom.  Windows: BCryptGenRandom.
// stderr_is_terminal whether somebody looks at what is written there.
// environment        the variable, if it is set. Not while another thread changes the environment.

#include <multiprocessing/platform/detect.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include MULTIPROCESSING_PLATFORM_HEADER(system)

namespace multiprocessing::platform {

static_assert(std::is_same_v<decltype(&cpu_count), int (*)()> &&
                  std::is_same_v<decltype(&process_cpu_count), int (*)()>,
              "platform/<os>/system.hpp must define cpu_count and process_cpu_count");
static_assert(std::is_same_v<decltype(&executable_path), std::string (*)()> &&
                  std::is_same_v<decltype(&program_arguments), std::vector<std::string> (*)()> &&
                  std::is_same_v<decltype(&working_directory), std::string (*)()> &&
                  std::is_same_v<decltype(&change_directory), void (*)(std::string const&)>,
              "platform/<os>/system.hpp must define what spawn needs to know of the program");
static_assert(
    std::is_same_v<decltype(&secure_mode), bool (*)() noexcept> &&
        std::is_same_v<decltype(&random_bytes), void (*)(std::span<std::byte>)> &&
        std::is_same_v<decltype(&stderr_is_terminal), bool (*)() noexcept> &&
        std::is_same_v<decltype(&environment), std::optional<std::string> (*)(char const*)>,
    "platform/<os>/system.hpp must define secure_mode, random_bytes, stderr_is_terminal and "
    "environment");

}  // namespace multiprocessing::platform
