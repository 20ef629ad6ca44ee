// SPDX-License-Identifier: MIT
// multiprocessing/platform/win32/image.hpp — loaded PE modules, by the loader's own answers.
// Layer 1 (platform). Implements platform/image.hpp.
#pragma once

#include <multiprocessing/platform/handle.hpp>
#include <multiprocessing/platform/module.hpp>
#include <multiprocessing/platform/win32/detail/api.hpp>
#include <multiprocessing/platform/win32/detail/mapped_file.hpp>
#include <multiprocessing/platform/win32/detail/modules.hpp>
#include <multiprocessing/platform/win32/detail/pe.hpp>
#include <multiprocessing/platform/win32/detail/text.hpp>
#include <multiprocessing/platform/win32/error.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace multiprocessing::platform::inline win32 {

namespace detail {

/// The records made so far in this module; the latest first. None is ever freed.
struct KnownModule {
    Module module;
    KnownModule* before = nullptr;
};

inline std::atomic<KnownModule*>& known_modules() noexcept {
    static constinit std::atomic<KnownModule*> last{nullptr};
    return last;
}

inline std::string path_of(module_t handle) {
    return to_utf8(filled([&](wchar_t* buffer, dword size) {
        return ::GetModuleFileNameW(handle, buffer, size);
    }));
}

inline std::unique_ptr<KnownModule> describe(module_t handle, PeHeaders const& headers,
                                             std::string path) {
    auto known = std::make_unique<KnownModule>();
    Module& module = known->module;
    module.base = reinterpret_cast<std::uintptr_t>(handle);
    module.is_main = handle == ::GetModuleHandleW(nullptr);
    module.headers = handle;
    module.fingerprint = headers.fingerprint();
    module.path = std::move(path);
    for (std::size_t index = 0; index < headers.section_count(); ++index) {
        PeSection const section = headers.section(index);
        std::uintptr_t const begin = module.base + section.address;
        AddressRange const range{begin, begin + section.memory_bytes};
        if (section.is_code()) module.code.push_back(range);
        else if (section.is_writable()) module.data.push_back(range);
    }
    return known;
}

/// The record of a module that stays loaded meanwhile. Another library, or a copy of it, may have
/// been loaded where one was unloaded, so that the place alone says nothing.
inline Module const& record_of(module_t handle) {
    PeHeaders const headers = PeHeaders::of_loaded(handle);
    Fingerprint const fingerprint = headers.fingerprint();
    std::string path = path_of(handle);
    auto& last = known_modules();
    KnownModule* seen = last.load(std::memory_order_acquire);
    for (KnownModule const* known = seen; known != nullptr; known = known->before)
        if (known->module.headers == handle && known->module.fingerprint == fingerprint &&
            known->module.path == path)
            return known->module;
    // Two threads may make two records of one module: both are right.
    auto made = describe(handle, headers, std::move(path));
    made->before = seen;
    // Release: who finds the record reads what stands in it.
    while (!last.compare_exchange_weak(made->before, made.get(), std::memory_order_acq_rel)) {}
    return made.release()->module;
}

}  // namespace detail

inline Module const& main_module() {
    static constinit std::atomic<Module const*> known{nullptr};
    Module const* main = known.load(std::memory_order_acquire);
    if (main == nullptr) {
        main = &detail::record_of(::GetModuleHandleW(nullptr));
        known.store(main, std::memory_order_release);
    }
    return *main;
}

inline Module const* module_of(void const* address) {
    auto const at = reinterpret_cast<std::uintptr_t>(address);
    if (main_module().contains(at)) return &main_module();  // it is never unloaded
    detail::ModuleInUse const in_use(address);
    if (!in_use) return nullptr;
    Module const& module = detail::record_of(in_use.get());
    return module.contains(at) ? &module : nullptr;
}

inline Fingerprint fingerprint_of(Module const& module) { return module.fingerprint.load(); }

inline Module const* find_module(Fingerprint fingerprint) {
    if (fingerprint == Fingerprint{}) return nullptr;
    for (detail::module_t const handle : detail::loaded_modules()) {
        detail::ModuleInUse const in_use(handle);
        if (in_use && detail::PeHeaders::of_loaded(in_use.get()).fingerprint() == fingerprint)
            return &detail::record_of(in_use.get());
    }
    return nullptr;
}

inline bool is_absolute_path(std::string const& path) noexcept {
    std::size_t const root = path.size() > 2 && path[1] == ':' ? 2 : 0;
    return !path.empty() && (path[root] == '\\' || path[root] == '/');
}

inline Module const* open_module(std::string const& path, Fingerprint fingerprint,
                                 std::string& why) {
    std::wstring const wide = detail::full_path(path);
    auto const found = detail::file_fingerprint(wide);
    if (found == Fingerprint{} || found != fingerprint) {
        why = found == Fingerprint{} ? "there is no such library" : "that file is another build";
        return nullptr;
    }
    constexpr detail::dword its_folder_first = 8;  // for the libraries that it needs
    if (::LoadLibraryExW(wide.c_str(), nullptr, its_folder_first) == nullptr) {
        why = detail::system_message(static_cast<int>(::GetLastError()));
        return nullptr;
    }
    Module const* const module = find_module(fingerprint);
    if (module == nullptr) why = "the loader has found another file";
    return module;
}

}  // namespace multiprocessing::platform::inline win32
