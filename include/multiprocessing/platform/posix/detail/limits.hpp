// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/detail/limits.hpp — whether a file of memory may become larger.
// Layer 1 (platform). Helper of platform/posix/memory.hpp and named_memory.hpp.
#pragma once

#include <multiprocessing/platform/posix/detail/cgroup.hpp>

#include <cstddef>

#include <sys/resource.h>

namespace multiprocessing::platform::inline posix::detail {

// Looked up once, by whoever first owns a memory: growing must not allocate much or fail for it.
inline CgroupFolders const& memory_cgroup() {
    static CgroupFolders const folders =
        find_cgroup_folders("memory", "memory.max", "memory.limit_in_bytes");
    return folders;
}

// Asked first, since the kernel sends SIGXFSZ, or the OOM killer, where it refuses.
inline bool may_grow_file(std::size_t current, std::size_t wanted) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        wanted > limit.rlim_cur)
        return false;
    return wanted - current <= cgroup_memory_headroom(memory_cgroup());
}

}  // namespace multiprocessing::platform::inline posix::detail
