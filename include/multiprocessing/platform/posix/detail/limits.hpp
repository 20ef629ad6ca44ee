// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/detail/limits.hpp — whether a file of memory may become larger.
// Layer 1 (platform). Helper of platform/posix/memory.hpp and named_memory.hpp.
#pragma once

#include <multiprocessing/platform/posix/detail/cgroup.hpp>

#include <atomic>
#include <cstddef>
#include <memory>

#include <sys/resource.h>

namespace multiprocessing::platform::inline posix::detail {

// Looked up by whoever first grows a memory, which most processes never do. Not a guarded static: a
// child forked during its initialisation would wait for ever.
inline CgroupFolders const& memory_cgroup() {
    static constinit std::atomic<CgroupFolders const*> known{nullptr};
    auto const* folders = known.load(std::memory_order_acquire);
    if (folders != nullptr) return *folders;
    auto fresh = std::make_unique<CgroupFolders const>(
        find_cgroup_folders("memory", "memory.max", "memory.limit_in_bytes"));
    if (known.compare_exchange_strong(folders, fresh.get())) return *fresh.release();
    return *folders;
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
