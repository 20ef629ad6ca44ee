// SPDX-License-Identifier: MIT
// tests/platform/image_test.cpp — platform/image.hpp
#include <multiprocessing/platform/image.hpp>

#include "platform/forked.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fs = std::filesystem;
namespace platform = multiprocessing::platform;
using platform::Fingerprint;

namespace {

int written_data = 3;
int empty_data;
int const* volatile pointer_to_data = &written_data;
extern int const* const sealed_data;
int const* const sealed_data = &written_data;  // constant once the loader has filled it in

int some_function(int x) { return x + written_data + *pointer_to_data; }

std::uintptr_t at(void const* address) { return reinterpret_cast<std::uintptr_t>(address); }
std::uintptr_t at(int (*function)(int)) { return reinterpret_cast<std::uintptr_t>(function); }

/// The plugin, loaded for as long as this lives.
struct Plugin {
    explicit Plugin(char const* path) : handle(::dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
        REQUIRE(handle != nullptr);
    }
    Plugin(Plugin const&) = delete;
    Plugin& operator=(Plugin const&) = delete;
    ~Plugin() { ::dlclose(handle); }

    void* symbol(char const* name) const { return ::dlsym(handle, name); }
    void* function() const { return symbol("image_plugin_function"); }

    void* handle;
};

/// A folder of its own, gone at the end.
struct Folder {
    Folder() {
        std::string name = (fs::temp_directory_path() / "image_test_XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    Folder(Folder const&) = delete;
    Folder& operator=(Folder const&) = delete;
    ~Folder() { fs::remove_all(path); }

    fs::path path;
};

constexpr char const* plugin_path = MULTIPROCESSING_TEST_IMAGE_PLUGIN;

}  // namespace

TEST_CASE("image: the program is the main module", "[image]") {
    platform::Module const& main = platform::main_module();
    CHECK(main.is_main);
    CHECK(fs::equivalent(main.path, "/proc/self/exe"));
    CHECK(platform::module_of(&written_data) == &main);
    CHECK(platform::module_of(reinterpret_cast<void const*>(&some_function)) == &main);
    CHECK(platform::fingerprint_of(main) != Fingerprint{});
    CHECK(platform::find_module(platform::fingerprint_of(main)) == &main);
}

TEST_CASE("image: code, data and constants are told apart", "[image]") {
    platform::Module const& main = platform::main_module();
    CHECK(main.in_code(at(&some_function)));
    CHECK_FALSE(main.in_data(at(&some_function), 1));
    CHECK(main.in_data(at(&written_data), sizeof written_data));
    CHECK(main.in_data(at(&empty_data), sizeof empty_data));
    CHECK_FALSE(main.in_code(at(&written_data)));
    CHECK_FALSE(main.in_data(at(&sealed_data), sizeof sealed_data));
    CHECK_FALSE(main.in_data(at("a literal"), 1));
    CHECK_FALSE(main.in_data(main.data.back().end - 4, 8));
    CHECK_FALSE(main.in_data(at(&written_data), SIZE_MAX));
}

TEST_CASE("image: heap and stack belong to no module", "[image]") {
    int on_stack = 0;
    auto const on_heap = std::make_unique<int>();
    CHECK(platform::module_of(&on_stack) == nullptr);
    CHECK(platform::module_of(on_heap.get()) == nullptr);
    CHECK(platform::module_of(nullptr) == nullptr);
}

TEST_CASE("image: a library has the same fingerprint in memory and in its file", "[image]") {
    platform::Module const* const library =
        platform::module_of(reinterpret_cast<void const*>(&::dlsym));
    REQUIRE(library != nullptr);
    auto const fingerprint = platform::fingerprint_of(*library);
    if (!library->is_main) {  // a sanitizer may put its own in front
        CHECK(library->path.starts_with('/'));
        CHECK(platform::detail::file_fingerprint(library->path.c_str()) == fingerprint);
    }
    CHECK(platform::find_module(fingerprint) == library);
    CHECK(platform::detail::file_fingerprint("/proc/self/exe") ==
          platform::fingerprint_of(platform::main_module()));
}

TEST_CASE("image: without a build id the code itself decides", "[image]") {
    using namespace platform::detail;
    std::vector<std::byte> code(100, std::byte{7});
    ProgramHeader header{};
    header.p_type = PT_LOAD;
    header.p_flags = PF_R | PF_X;
    header.p_filesz = header.p_memsz = code.size();
    auto const bytes_of = [&](ProgramHeader const&) { return std::span<std::byte const>(code); };
    ProgramHeaders const headers(&header, 1);
    CHECK(build_id_fingerprint(headers, bytes_of) == Fingerprint{});
    auto const before = code_fingerprint(headers, bytes_of);
    CHECK(before == code_fingerprint(headers, bytes_of));
    for (std::size_t i : {0u, 50u, 99u}) {
        code[i] = std::byte{8};
        CHECK(before != code_fingerprint(headers, bytes_of));
        code[i] = std::byte{7};
    }
    header.p_offset = 1;
    CHECK(before != code_fingerprint(headers, bytes_of));
}

TEST_CASE("image: notes that are cut short hold no build id", "[image]") {
    std::vector<std::byte> notes(36, std::byte{5});
    std::uint32_t const head[] = {4, 20, NT_GNU_BUILD_ID};
    std::memcpy(notes.data(), head, sizeof head);
    std::memcpy(notes.data() + 12, "GNU", 4);
    CHECK(platform::detail::build_id(notes, 4).size() == 20);
    for (std::size_t n = 0; n < notes.size(); ++n)
        CHECK(platform::detail::build_id(std::span(notes).first(n), 4).empty());
    std::uint32_t const huge[] = {0xffffffff, 0xffffffff, NT_GNU_BUILD_ID};
    std::memcpy(notes.data(), huge, sizeof huge);
    CHECK(platform::detail::build_id(notes, 4).empty());
}

TEST_CASE("image: what is loaded and unloaded is noticed", "[image]") {
    auto const fingerprint = platform::detail::file_fingerprint(plugin_path);
    REQUIRE(fingerprint != Fingerprint{});
    CHECK(platform::find_module(fingerprint) == nullptr);
    for (int round = 0; round < 3; ++round) {
        void* function = nullptr;
        {
            Plugin const plugin(plugin_path);
            function = plugin.function();
            platform::Module const* const module = platform::module_of(function);
            REQUIRE(module != nullptr);
            CHECK_FALSE(module->is_main);
            CHECK(fs::equivalent(module->path, plugin_path));
            CHECK(module->in_code(at(function)));
            CHECK(module->in_data(at(plugin.symbol("image_plugin_number")), sizeof(int)));
            CHECK(platform::fingerprint_of(*module) == fingerprint);
            CHECK(platform::find_module(fingerprint) == module);
        }
        CHECK(platform::module_of(function) == nullptr);
        CHECK(platform::find_module(fingerprint) == nullptr);
    }
}

TEST_CASE("image: a library is opened by its path if it is the right build", "[image]") {
    auto const fingerprint = platform::detail::file_fingerprint(plugin_path);
    std::string why;
    CHECK(platform::open_module(plugin_path, Fingerprint{1}, why) == nullptr);
    CHECK(why == "that file is another build");
    CHECK(platform::open_module(plugin_path, Fingerprint{}, why) == nullptr);
    CHECK(platform::find_module(fingerprint) == nullptr);

    Folder const folder;
    fs::path const copy = folder.path / "another name.so";
    fs::copy_file(plugin_path, copy);
    platform::Module const* const module = platform::open_module(copy.string(), fingerprint, why);
    REQUIRE(module != nullptr);
    CHECK(fs::equivalent(module->path, copy));
    void* const again = ::dlopen(copy.c_str(), RTLD_NOLOAD | RTLD_NOW);
    ::dlclose(again);
    ::dlclose(again);  // what open_module holds, for the other cases' sake
}

TEST_CASE("image: files that are no libraries are refused", "[image]") {
    Folder const folder;
    auto const refused = [](fs::path const& path) {
        std::string why;
        bool const none = platform::open_module(path.string(), Fingerprint{1}, why) == nullptr;
        return none && why == "there is no such library";
    };
    CHECK(refused(folder.path / "missing.so"));
    CHECK(refused(folder.path));
    CHECK(refused(""));

    fs::path const text = folder.path / "text.so";
    std::ofstream(text) << "\x7f" "ELF is what it begins with, and nothing else about it is right";
    CHECK(refused(text));

    fs::path const fifo = folder.path / "fifo.so";
    REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
    CHECK(refused(fifo));  // and does not wait for a writer

    fs::path const cut = folder.path / "cut.so";
    fs::copy_file(plugin_path, cut);
    auto const whole = platform::detail::file_fingerprint(plugin_path);
    for (std::uintmax_t bytes : {std::uintmax_t{200}, std::uintmax_t{63}, std::uintmax_t{1}}) {
        fs::resize_file(cut, bytes);
        CHECK(platform::detail::file_fingerprint(cut.c_str()) != whole);
    }
}

TEST_CASE("image: a forked child is not caught in the loader's lock", "[image]") {
    std::jthread const asker([](std::stop_token stop) {
        while (!stop.stop_requested()) platform::find_module(Fingerprint{1});
    });
    int ended = 0;
    for (int i = 0; i < 50; ++i) {
        test::Child child([] { return platform::find_module(Fingerprint{1}) == nullptr ? 7 : 8; });
        ended += child.wait() == 7 ? 1 : 0;
    }
    CHECK(ended == 50);
}

TEST_CASE("image: many threads may ask while libraries come and go", "[image][threads]") {
    std::vector<std::jthread> askers;
    for (int i = 0; i < 3; ++i)
        askers.emplace_back([](std::stop_token stop) {
            while (!stop.stop_requested()) {
                platform::find_module(Fingerprint{1});
                platform::module_of(reinterpret_cast<void const*>(&some_function));
            }
        });
    for (int i = 0; i < 50; ++i) Plugin const plugin(plugin_path);
    askers.clear();
    CHECK(platform::find_module(platform::detail::file_fingerprint(plugin_path)) == nullptr);
}
