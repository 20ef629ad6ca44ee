// SPDX-License-Identifier: MIT
// tests/support/stepper_symbols.cpp — reads ELF symbol tables; asks addr2line for lines.
#include "support/stepper_symbols.hpp"

#if __has_include(<sys/prctl.h>) && defined(__x86_64__)

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <cxxabi.h>
#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

namespace test::stepper {
namespace {

struct Module {
    std::string path;
    std::uint64_t begin = 0;  // of its first mapping
    std::uint64_t end = 0;    // of its last
};

std::string program_path() {
    std::array<char, 4096> path{};
    ssize_t const length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
    return std::string(path.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
}

std::vector<Module> modules() {
    std::vector<Module> found;
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
        int path_at = 0;
        if (std::sscanf(line.c_str(), "%lx-%lx %*s %*s %*s %*s %n", &begin, &end, &path_at) < 2 ||
            path_at <= 0) {
            continue;
        }
        std::string path = line.substr(static_cast<std::size_t>(path_at));
        auto const same =
            std::find_if(found.begin(), found.end(), [&](auto const& m) { return m.path == path; });
        if (path.empty()) {
            continue;
        }
        if (same == found.end()) {
            found.push_back({std::move(path), begin, end});
        } else {
            same->end = end;
        }
    }
    return found;
}

std::optional<Module> module_of(std::uint64_t address) {
    for (Module const& module : modules()) {
        if (address >= module.begin && address < module.end) {
            return module;
        }
    }
    return std::nullopt;
}

template <class T>
T read_at(std::ifstream& file, std::uint64_t offset) {
    T value{};
    file.seekg(static_cast<std::streamoff>(offset));
    file.read(reinterpret_cast<char*>(&value), sizeof value);
    return value;
}

std::string demangled(std::string const& name) {
    int status = 0;
    std::unique_ptr<char, decltype(&std::free)> const text(
        abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), &std::free);
    std::string result = text ? text.get() : name;
    if (result.size() > 160) {
        result.replace(100, result.size() - 150, " ... ");
    }
    return result;
}

// Positions of an ET_EXEC file are addresses already; others are moved by where they were mapped.
std::uint64_t address_in_file(std::ifstream& file, Module const& module, std::uint64_t address) {
    auto const header = read_at<Elf64_Ehdr>(file, 0);
    return header.e_type == ET_EXEC ? address : address - module.begin;
}

std::string function_at(Module const& module, std::uint64_t address) {
    std::ifstream file(module.path, std::ios::binary);
    auto const header = read_at<Elf64_Ehdr>(file, 0);
    if (!file || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
        return {};
    }
    std::uint64_t const wanted = address_in_file(file, module, address);
    for (auto const kind : {SHT_SYMTAB, SHT_DYNSYM}) {
        for (unsigned i = 0; i < header.e_shnum; ++i) {
            auto const section = read_at<Elf64_Shdr>(file, header.e_shoff + i * header.e_shentsize);
            if (section.sh_type != static_cast<unsigned>(kind)) {
                continue;
            }
            std::vector<Elf64_Sym> symbols(section.sh_size / sizeof(Elf64_Sym));
            file.seekg(static_cast<std::streamoff>(section.sh_offset));
            file.read(reinterpret_cast<char*>(symbols.data()),
                      static_cast<std::streamsize>(section.sh_size));
            for (Elf64_Sym const& symbol : symbols) {
                bool const function =
                    ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_shndx != SHN_UNDEF;
                if (function && wanted >= symbol.st_value &&
                    wanted < symbol.st_value + symbol.st_size) {
                    auto const names = read_at<Elf64_Shdr>(
                        file, header.e_shoff + section.sh_link * header.e_shentsize);
                    file.seekg(static_cast<std::streamoff>(names.sh_offset + symbol.st_name));
                    std::string name;
                    std::getline(file, name, '\0');
                    return fmt::format("{}+{:#x}", demangled(name), wanted - symbol.st_value);
                }
            }
        }
    }
    return {};
}

// /proc/<pid>/syscall tells a sleeper's stack and place; a process that computes must be stopped
// for a moment.
bool place_of(pid_t pid, std::uint64_t& stack, std::uint64_t& rip) {
    std::ifstream file(fmt::format("/proc/{}/syscall", pid));
    std::string line;
    std::getline(file, line);
    std::size_t const last = line.rfind(' ');
    std::size_t const one_before = last == std::string::npos ? last : line.rfind(' ', last - 1);
    if (one_before != std::string::npos) {
        stack = std::strtoull(line.c_str() + one_before + 1, nullptr, 16);
        rip = std::strtoull(line.c_str() + last + 1, nullptr, 16);
        return true;
    }
    if (::ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) != 0) {
        return false;
    }
    ::ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr);
    int status = 0;
    user_regs_struct registers{};
    bool const stopped = ::waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) &&
                         ::ptrace(PTRACE_GETREGS, pid, nullptr, &registers) == 0;
    ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
    stack = registers.rsp;
    rip = registers.rip;
    return stopped;
}

}  // namespace

std::string symbol_of(std::uint64_t address) {
    auto const module = module_of(address);
    if (!module) {
        return fmt::format("{:#x}", address);
    }
    std::string const file = module->path.substr(module->path.rfind('/') + 1);
    std::string const function = function_at(*module, address);
    return function.empty() ? fmt::format("{} at {:#x}", file, address - module->begin)
                            : fmt::format("{} ({})", function, file);
}

bool in_program(std::uint64_t address) {
    static std::string const program = program_path();
    static auto const module = [] {
        for (Module const& each : modules()) {
            if (each.path == program) {
                return each;
            }
        }
        return Module{};
    }();
    return address >= module.begin && address < module.end;
}

std::string line_of(std::uint64_t address) {
    using Clock = std::chrono::steady_clock;
    static std::map<std::uint64_t, std::string> known;
    static Clock::duration spent{};  // a call may take a second, and there may be many failures
    if (auto const found = known.find(address); found != known.end()) {
        return found->second;
    }
    auto const module = module_of(address);
    bool const quotable = module && module->path.find('\'') == std::string::npos;
    if (!quotable || spent > std::chrono::seconds(3)) {
        return {};
    }
    auto const begin = Clock::now();
    std::ifstream file(module->path, std::ios::binary);
    std::string const command = fmt::format("addr2line -i -s -e '{}' {:#x} 2>/dev/null",
                                            module->path, address_in_file(file, *module, address));
    std::string lines;
    if (std::FILE* const pipe = ::popen(command.c_str(), "r")) {
        std::array<char, 512> line{};
        while (std::fgets(line.data(), static_cast<int>(line.size()), pipe) != nullptr) {
            std::string_view text(line.data());
            text = text.substr(0, text.find_first_of(" \n"));
            if (text.find('?') == std::string_view::npos) {
                lines += lines.empty() ? "" : " < ";
                lines += text;
            }
        }
        ::pclose(pipe);
    }
    spent += Clock::now() - begin;
    return known[address] = lines;
}

std::string whereabouts(std::int64_t pid) {
    std::uint64_t stack = 0;
    std::uint64_t rip = 0;
    if (!place_of(static_cast<pid_t>(pid), stack, rip)) {
        return "unknown place";
    }
    std::string text = fmt::format("{} {}", symbol_of(rip), line_of(rip));
    std::vector<std::uint64_t> words(1024);
    iovec const local{words.data(), words.size() * sizeof words[0]};
    iovec const remote{reinterpret_cast<void*>(stack), local.iov_len};
    ssize_t const got = ::process_vm_readv(static_cast<pid_t>(pid), &local, 1, &remote, 1, 0);
    words.resize(got > 0 ? static_cast<std::size_t>(got) / sizeof words[0] : 0);
    int callers = 0;
    for (std::uint64_t const word : words) {
        std::string const name = in_program(word) ? symbol_of(word) : std::string();
        if (name.find("stepper::Runner::") != std::string::npos || callers == 6) {
            break;  // further out there is only the harness
        }
        if (name.find("+0x") != std::string::npos && name.find("+0x0 ") == std::string::npos) {
            text += fmt::format("\n      perhaps called from {}", name);
            ++callers;
        }
    }
    return text;
}

}  // namespace test::stepper

#endif
