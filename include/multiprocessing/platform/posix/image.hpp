// SPDX-License-Identifier: MIT
// multiprocessing/platform/posix/image.hpp — loaded ELF modules, by dl_iterate_phdr and dlopen.
// Layer 1 (platform). Implements platform/image.hpp.
#pragma once

#include <multiprocessing/platform/module.hpp>
#include <multiprocessing/platform/posix/detail/elf.hpp>

#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <unistd.h>

namespace multiprocessing::platform::inline posix {

namespace detail {

inline ProgramHeaders headers_of(dl_phdr_info const& info) {
    return {info.dlpi_phdr, info.dlpi_phnum};
}

// A child that is forked while another thread asks the loader inherits the loader's lock, locked
// for ever (seen with glibc 2.36). So a fork waits until nobody in here asks.
inline std::mutex& asking() {
    static constinit std::mutex mutex;
    return mutex;
}

inline bool const fork_waits = ::pthread_atfork([] { asking().lock(); }, [] { asking().unlock(); },
                                                [] { asking().unlock(); }) == 0;

/// Calls `visit(info)` for each module while the loader's lock is held, until it returns false. The
/// loader's own frames must not see an exception.
template <class Visit>
void each_loaded(Visit visit) {
    std::scoped_lock const guard(asking());
    struct Call {
        Visit& visit;
        bool failed = false;
    } call{visit};
    dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* argument) {
            auto& c = *static_cast<Call*>(argument);
            try {
                return c.visit(*info) ? 0 : 1;
            } catch (...) {
                c.failed = true;
                return 1;
            }
        },
        &call);
    if (call.failed) throw std::bad_alloc();
}

/// How many modules were ever loaded and unloaded: changes whenever the list does.
struct Changes {
    unsigned long long adds = 0, subs = 0;
    bool operator==(Changes const&) const = default;
};

inline Changes changes() {
    Changes result;
    each_loaded([&](dl_phdr_info const& info) {
        result = {info.dlpi_adds, info.dlpi_subs};
        return false;
    });
    return result;
}

struct Table {
    Changes changes;
    std::vector<Module const*> modules;
    std::vector<std::unique_ptr<Module>> made;  // those that `previous` does not know
    Table const* previous = nullptr;  // tables are never freed: another thread may be reading one
};

/// What the loader calls a library, from the root. The kernel's own, which is no file, has no
/// slash.
inline std::string absolute_path(char const* path) {
    if (path[0] == '/' || std::strchr(path, '/') == nullptr) return path;
    char resolved[PATH_MAX];
    return ::realpath(path, resolved) != nullptr ? resolved : path;
}

inline std::string program_path() {
    char path[PATH_MAX];
    auto const length = ::readlink("/proc/self/exe", path, sizeof path);
    return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "/proc/self/exe";
}

inline std::unique_ptr<Module> describe(dl_phdr_info const& info, bool is_main, Fingerprint known) {
    auto module = std::make_unique<Module>();
    module->base = info.dlpi_addr;
    module->is_main = is_main;
    module->headers = info.dlpi_phdr;
    module->path = is_main ? program_path() : absolute_path(info.dlpi_name);
    module->fingerprint = known;
    for (ProgramHeader const& header : headers_of(info)) {
        auto const begin = module->base + header.p_vaddr;
        AddressRange const range{begin, begin + header.p_memsz};
        if (header.p_type == PT_GNU_RELRO) module->sealed = range;
        if (header.p_type != PT_LOAD) continue;
        if ((header.p_flags & PF_X) != 0) module->code.push_back(range);
        else if ((header.p_flags & PF_W) != 0) module->data.push_back(range);
    }
    return module;
}

/// The record of the last look, if it certainly describes the same module. Another library may have
/// been loaded where one was unloaded, so that the place alone says nothing then.
inline Module const* same_module(Table const* last, Changes now, dl_phdr_info const& info,
                                 bool is_main, Fingerprint build_id) {
    if (last == nullptr) return nullptr;
    for (Module const* module : last->modules) {
        if (module->base != info.dlpi_addr || module->headers != info.dlpi_phdr) continue;
        if (is_main || last->changes.subs == now.subs) return module;
        if (build_id != Fingerprint{} && module->fingerprint.load() == build_id) return module;
    }
    return nullptr;
}

inline std::unique_ptr<Table> look(Table const* last) {
    auto table = std::make_unique<Table>();
    table->previous = last;
    each_loaded([&](dl_phdr_info const& info) {
        bool const is_main = table->modules.empty();  // the loader lists the program first
        table->changes = {info.dlpi_adds, info.dlpi_subs};
        auto const id = build_id_fingerprint(headers_of(info), bytes_in_memory(info.dlpi_addr));
        auto const* module = same_module(last, table->changes, info, is_main, id);
        if (module == nullptr) {
            table->made.push_back(describe(info, is_main, id));
            module = table->made.back().get();
        }
        table->modules.push_back(module);
        return true;
    });
    return table;
}

/// The modules that are loaded now.
inline Table const& table() {
    static constinit std::atomic<Table const*> latest{nullptr};
    Table const* last = latest.load(std::memory_order_acquire);
    if (last != nullptr && last->changes == changes()) return *last;
    for (;;) {
        auto fresh = look(last);
        // Release: who finds the table finds the records it points to.
        if (latest.compare_exchange_strong(last, fresh.get(), std::memory_order_acq_rel))
            return *fresh.release();
        if (last->changes == fresh->changes) return *last;
    }
}

}  // namespace detail

inline Module const& main_module() {
    // Not a guarded static: a child forked during its initialisation would wait for ever.
    static constinit std::atomic<Module const*> known{nullptr};
    Module const* main = known.load(std::memory_order_acquire);
    if (main == nullptr) {
        main = detail::table().modules.front();
        known.store(main, std::memory_order_release);
    }
    return *main;
}

inline Module const* module_of(void const* address) {
    auto const at = reinterpret_cast<std::uintptr_t>(address);
    if (main_module().contains(at)) return &main_module();  // it is never unloaded
    for (Module const* module : detail::table().modules)
        if (module->contains(at)) return module;
    return nullptr;
}

inline Fingerprint fingerprint_of(Module const& module) {
    auto known = module.fingerprint.load(std::memory_order_relaxed);
    if (known != Fingerprint{}) return known;
    detail::each_loaded([&](dl_phdr_info const& info) {
        if (info.dlpi_phdr != module.headers || info.dlpi_addr != module.base) return true;
        known = detail::code_fingerprint(detail::headers_of(info),
                                               detail::bytes_in_memory(module.base));
        return false;
    });
    module.fingerprint.store(known, std::memory_order_relaxed);  // everyone stores the same
    return known;
}

inline Module const* find_module(Fingerprint fingerprint) {
    if (fingerprint == Fingerprint{}) return nullptr;
    if (fingerprint_of(main_module()) == fingerprint) return &main_module();
    auto const& modules = detail::table().modules;
    for (Module const* module : modules)  // first those that need not be read for it
        if (module->fingerprint.load(std::memory_order_relaxed) == fingerprint) return module;
    for (Module const* module : modules)
        if (fingerprint_of(*module) == fingerprint) return module;
    return nullptr;
}

inline bool is_absolute_path(std::string const& path) noexcept { return path.starts_with('/'); }

inline Module const* open_module(std::string const& path, Fingerprint fingerprint,
                                 std::string& why) {
    auto const found = detail::file_fingerprint(path.c_str());
    if (found == Fingerprint{} || found != fingerprint) {
        why = found == Fingerprint{} ? "there is no such library" : "that file is another build";
        return nullptr;
    }
    if (::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) {
        char const* const reason = ::dlerror();
        why = reason != nullptr ? reason : "the loader refuses it";
        return nullptr;
    }
    Module const* const module = find_module(fingerprint);
    if (module == nullptr) why = "the loader has found another file";
    return module;
}

}  // namespace multiprocessing::platform::inline posix
