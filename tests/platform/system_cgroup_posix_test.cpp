// SPDX-License-Identifier: MIT
// tests/platform/system_cgroup_posix_test.cpp — limits of control groups, from made-up folders.
#include <multiprocessing/platform/system.hpp>

#include <multiprocessing/platform/posix/detail/cgroup.hpp>

#include "support/catch.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace cgroup = multiprocessing::platform::detail;

namespace {

/// A folder of files that is removed at the end.
class Folder {
public:
    Folder() {
        char name[] = "/tmp/multiprocessing-test-XXXXXX";
        path_ = ::mkdtemp(name);
        std::filesystem::create_directory(path_ + "/inner");
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(Folder const&) = delete;
    Folder& operator=(Folder const&) = delete;

    void write(std::string const& name, std::string const& text) const {
        std::FILE* const file = std::fopen((path_ + "/" + name).c_str(), "w");
        std::fputs(text.c_str(), file);
        std::fclose(file);
    }

    cgroup::CgroupFolders groups(int version) const { return {version, {path_ + "/inner", path_}}; }

private:
    std::string path_;
};

constexpr char const* mounts =
    "22 1 8:1 / / rw,relatime - ext4 /dev/root rw\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 /box /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:4 master:1 - cgroup2 cgroup2 rw\n";

}  // namespace

TEST_CASE("cgroup: finds the mount of a controller", "[platform]") {
    auto const cpu = cgroup::find_cgroup_mount(mounts, "cpu", 1);
    REQUIRE(cpu);
    CHECK(cpu->point == "/sys/fs/cgroup/cpu,cpuacct");
    CHECK(cpu->root == "/");
    auto const memory = cgroup::find_cgroup_mount(mounts, "memory", 1);
    REQUIRE(memory);
    CHECK(memory->root == "/box");
    auto const unified = cgroup::find_cgroup_mount(mounts, "memory", 2);
    REQUIRE(unified);
    CHECK(unified->point == "/sys/fs/cgroup/unified");
    CHECK(!cgroup::find_cgroup_mount(mounts, "pids", 1));
    CHECK(!cgroup::find_cgroup_mount("", "cpu", 2));
}

TEST_CASE("cgroup: finds the group of this process", "[platform]") {
    constexpr char const* groups = "9:name=systemd:/\n4:cpu,cpuacct:/a:b\n0::/user.slice/x\n";
    CHECK(cgroup::find_cgroup_path(groups, "cpu", 1) == "/a:b");
    CHECK(cgroup::find_cgroup_path(groups, "cpu", 2) == "/user.slice/x");
    CHECK(!cgroup::find_cgroup_path(groups, "memory", 1));
}

TEST_CASE("cgroup: the tightest group bounds the memory, cache counts as free", "[platform]") {
    Folder const folder;
    CHECK(cgroup::cgroup_memory_headroom(folder.groups(2)) == cgroup::unlimited);
    folder.write("inner/memory.max", "max\n");
    folder.write("inner/memory.current", "500\n");
    CHECK(cgroup::cgroup_memory_headroom(folder.groups(2)) == cgroup::unlimited);
    folder.write("memory.max", "1000000\n");
    folder.write("memory.current", "600000\n");
    CHECK(cgroup::cgroup_memory_headroom(folder.groups(2)) == 400'000);
    folder.write("memory.stat", "anon 5\ninactive_file 100000\nactive_file 7\n");
    CHECK(cgroup::cgroup_memory_headroom(folder.groups(2)) == 500'000);
    folder.write("inner/memory.max", "400\n");
    CHECK(cgroup::cgroup_memory_headroom(folder.groups(2)) == 0);
}

TEST_CASE("cgroup: version 1 spells no limit as a huge number", "[platform]") {
    Folder const folder;
    folder.write("memory.limit_in_bytes", "9223372036854771712\n");
    folder.write("memory.usage_in_bytes", "600000\n");
    CHECK(cgroup::cgroup_memory_headroom(folder.groups(1)) == cgroup::unlimited);
    folder.write("memory.limit_in_bytes", "1000000\n");
    folder.write("memory.stat", "inactive_file 1\ntotal_inactive_file 50000\n");
    CHECK(cgroup::cgroup_memory_headroom(folder.groups(1)) == 450'000);
}

TEST_CASE("cgroup: a part of a processor counts as one", "[platform]") {
    Folder const folder;
    CHECK(cgroup::cgroup_cpu_quota(folder.groups(2)) == cgroup::unlimited);
    folder.write("cpu.max", "max 100000\n");
    CHECK(cgroup::cgroup_cpu_quota(folder.groups(2)) == cgroup::unlimited);
    folder.write("cpu.max", "250000 100000\n");
    CHECK(cgroup::cgroup_cpu_quota(folder.groups(2)) == 3);
    folder.write("inner/cpu.max", "50000 100000\n");
    CHECK(cgroup::cgroup_cpu_quota(folder.groups(2)) == 1);
    folder.write("cpu.cfs_period_us", "100000\n");
    folder.write("cpu.cfs_quota_us", "-1\n");
    CHECK(cgroup::cgroup_cpu_quota(folder.groups(1)) == cgroup::unlimited);
    folder.write("cpu.cfs_quota_us", "200000\n");
    CHECK(cgroup::cgroup_cpu_quota(folder.groups(1)) == 2);
}
