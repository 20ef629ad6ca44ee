// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/detail/cgroup.hpp — the limits of control groups.
// Layer 1 (platform). Helper of platform/posix.
#pragma once

#include <multiprocessing/platform/posix/detail/procfs.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace multiprocessing::platform::inline posix::detail {

inline constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max();

// The folders of this process's control group and of all its parents, innermost first, for one
// controller. `version` is 2 for the unified hierarchy.
struct CgroupFolders {
    int version = 2;
    std::vector<std::string> folders;
};

inline bool has_item(std::string_view list, std::string_view item) {
    while (!list.empty()) {
        std::size_t const comma = std::min(list.find(','), list.size());
        if (list.substr(0, comma) == item) {
            return true;
        }
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

// Where the hierarchy is mounted and which of its groups the mount point shows.
struct CgroupMount {
    std::string point;
    std::string root;
};

inline std::optional<CgroupMount> find_cgroup_mount(std::string_view mounts,
                                                    std::string_view controller, int version) {
    while (!mounts.empty()) {
        std::string_view line = next_line(mounts);
        std::size_t const dash = line.find(" - ");
        if (dash == std::string_view::npos) {
            continue;
        }
        std::string_view kind = line.substr(dash + 3);
        std::string_view const type = next_word(kind);
        next_word(kind);
        std::string_view const options = next_word(kind);
        bool const wanted =
            version == 2 ? type == "cgroup2" : type == "cgroup" && has_item(options, controller);
        if (!wanted) {
            continue;
        }
        for (int field = 0; field < 3; ++field) {
            next_word(line);
        }
        std::string_view const root = next_word(line);
        return CgroupMount{std::string(next_word(line)), std::string(root)};
    }
    return std::nullopt;
}

inline std::optional<std::string> find_cgroup_path(std::string_view groups,
                                                   std::string_view controller, int version) {
    while (!groups.empty()) {
        std::string_view line = next_line(groups);  // id:controllers:path
        std::size_t const first = line.find(':');
        std::size_t const second = first == line.npos ? line.npos : line.find(':', first + 1);
        if (second == line.npos) {
            continue;
        }
        std::string_view const controllers = line.substr(first + 1, second - first - 1);
        if (version == 2 ? controllers.empty() : has_item(controllers, controller)) {
            return std::string(line.substr(second + 1));
        }
    }
    return std::nullopt;
}

// The folders of one controller (`memory`, `cpu`), from the first hierarchy where `probe` is a file
// of the innermost group that has it. Empty where there is no limit to find.
inline CgroupFolders find_cgroup_folders(std::string_view controller, char const* probe_v2,
                                         char const* probe_v1) {
    // Not on the stack, which may be a small one.
    auto const mounts = std::make_unique<SmallFile<65536> const>("/proc/self/mountinfo");
    auto const groups = std::make_unique<SmallFile<8192> const>("/proc/self/cgroup");
    for (int const version : {2, 1}) {
        auto const mount = find_cgroup_mount(mounts->text(), controller, version);
        auto path = find_cgroup_path(groups->text(), controller, version);
        if (!mount || !path) {
            continue;
        }
        // In a container the mount may show only the part below `root`.
        if (mount->root != "/" && path->starts_with(mount->root)) {
            path->erase(0, mount->root.size());
        }
        CgroupFolders result{version, {}};
        bool seen = false;
        for (std::string folder = mount->point + (*path == "/" ? "" : *path);
             folder.size() >= mount->point.size(); folder.resize(folder.rfind('/'))) {
            std::string const probe = folder + "/" + (version == 2 ? probe_v2 : probe_v1);
            seen = seen || ::access(probe.c_str(), R_OK) == 0;
            result.folders.push_back(folder);
            if (folder.size() == mount->point.size()) {
                break;
            }
        }
        if (seen) {
            return result;
        }
    }
    return {};
}

inline std::optional<std::uint64_t> read_cgroup_number(std::string const& folder,
                                                       char const* name) {
    SmallFile<64> const file((folder + "/" + name).c_str());
    return leading_number(file.text());
}

// The number in a line "name number" of a file; 0 if there is none.
inline std::uint64_t read_cgroup_line(std::string const& folder, char const* file_name,
                                      std::string_view name) {
    SmallFile<8192> const file((folder + "/" + file_name).c_str());
    std::string_view text = file.text();
    while (!text.empty()) {
        std::string_view line = next_line(text);
        if (next_word(line) == name) {
            return leading_number(line).value_or(0);
        }
    }
    return 0;
}

// How many bytes this process may still use before a control group kills somebody. File cache that
// the kernel would drop first counts as free.
inline std::uint64_t cgroup_memory_headroom(CgroupFolders const& groups) {
    std::uint64_t headroom = unlimited;
    bool const v2 = groups.version == 2;
    for (std::string const& folder : groups.folders) {
        auto const limit = read_cgroup_number(folder, v2 ? "memory.max" : "memory.limit_in_bytes");
        if (!limit || *limit >= unlimited / 4) {  // version 1 spells "no limit" as a huge number
            continue;
        }
        std::uint64_t const used =
            read_cgroup_number(folder, v2 ? "memory.current" : "memory.usage_in_bytes").value_or(0);
        std::uint64_t const cache =
            std::min(used, read_cgroup_line(folder, "memory.stat",
                                            v2 ? "inactive_file" : "total_inactive_file"));
        std::uint64_t const bound = used - cache;
        headroom = std::min(headroom, *limit > bound ? *limit - bound : 0);
    }
    return headroom;
}

// How many processors' worth of time the control groups allow, rounded up; `unlimited` if all.
inline std::uint64_t cgroup_cpu_quota(CgroupFolders const& groups) {
    std::uint64_t quota = unlimited;
    for (std::string const& folder : groups.folders) {
        std::optional<std::uint64_t> time;
        std::optional<std::uint64_t> period;
        if (groups.version == 2) {  // "max 100000" or "50000 100000"
            SmallFile<64> const file((folder + "/cpu.max").c_str());
            std::string_view text = file.text();
            time = leading_number(next_word(text));
            period = leading_number(next_word(text));
        } else {  // -1 is no limit and is not a number here
            time = read_cgroup_number(folder, "cpu.cfs_quota_us");
            period = read_cgroup_number(folder, "cpu.cfs_period_us");
        }
        if (time && period && *time != 0 && *period != 0) {
            quota = std::min(quota, (*time + *period - 1) / *period);
        }
    }
    return quota;
}

}  // namespace multiprocessing::platform::inline posix::detail
