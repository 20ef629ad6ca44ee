// SPDX-License-Identifier: MIT
// multiprocessing/platform/image.hpp — the program and libraries in this process, as places.
// Layer 1 (platform). Mirrors nothing in Python, where a function travels by its name.
#pragma once

// main_module()
//   The executable. POSIX: the first module that the loader lists. Windows: GetModuleHandle(NULL).
// module_of(address)
//   The module that has the address in its code or data, else null (heap, stack, generated code).
// fingerprint_of(module)
//   POSIX: from the build id that the linker left; without one, from the headers and the executable
//   segment, read once. Windows: from the build id; without one, from the time of linking and the
//   sizes of the image and its sections.
//   Zero if the module was unloaded before anybody asked.
// find_module(fingerprint)
//   The loaded module with this fingerprint, wherever its file lies and whatever it is called, or
//   null.
// open_module(path, fingerprint, why)
//   Loads the library for the rest of this process's life. The file is compared with the
//   fingerprint before any of its code runs. Null if it cannot be loaded or is another build; `why`
//   then says so. POSIX: dlopen with RTLD_NOW | RTLD_LOCAL. Windows: LoadLibraryEx.
// is_absolute_path(path)
//   Whether it names the same file in whatever directory. POSIX: it begins with a slash. Windows:
//   with a slash of either kind, after a drive or on the working directory's drive.
//
// All may be called by any thread at any time, and in a child that was forked while another thread
// was in one of them. They notice what is loaded and unloaded between calls. What lies in the
// program itself is found without a lock.

#include <multiprocessing/platform/detect.hpp>
#include <multiprocessing/platform/module.hpp>

#include <concepts>
#include <string>

#include MULTIPROCESSING_PLATFORM_HEADER(image)

namespace multiprocessing::platform {

template <class = void>
concept ImageApi = requires(Module const& module, Fingerprint fingerprint, std::string& text) {
    { main_module() } -> std::same_as<Module const&>;
    { module_of(static_cast<void const*>(nullptr)) } -> std::same_as<Module const*>;
    { fingerprint_of(module) } -> std::same_as<Fingerprint>;
    { find_module(fingerprint) } -> std::same_as<Module const*>;
    { open_module(text, fingerprint, text) } -> std::same_as<Module const*>;
    { is_absolute_path(text) } -> std::same_as<bool>;
};
static_assert(ImageApi<>, "platform/<os>/image.hpp must provide what platform/image.hpp describes");

}  // namespace multiprocessing::platform
