// SPDX-License-Identifier: MIT
// tests/platform/image_test.cpp — platform/image.hpp
#include <multiprocessing/platform/image.hpp>

#include <multiprocessing/platform/process.hpp>
#include <multiprocessing/platform/system.hpp>

#include "support/catch.hpp"
#include "support/host.hpp"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stop_token>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace fs = std::filesystem;
namespace platform = multiprocessing::platform;
using platform::Fingerprint;

namespace {

int written_data = 3;
int empty_data;
int const* volatile pointer_to_data = &written_data;

int some_function(int x) { return x + written_data + *pointer_to_data; }

std::uintptr_t at(void const* address) { return reinterpret_cast<std::uintptr_t>(address); }
std::uintptr_t at(int (*function)(int)) { return reinterpret_cast<std::uintptr_t>(function); }

/// The plugin, loaded for as long as this lives.
struct ImagePlugin : test::Library {
    ImagePlugin() : Library(MULTIPROCESSING_TEST_IMAGE_PLUGIN) { REQUIRE(*this); }

    void* function() const { return address("image_plugin_function"); }
};

/// A folder of its own, gone at the end.
struct OwnFolder {
    OwnFolder() {
        auto const name = "image_test_" + std::to_string(platform::process_id());
        path = fs::temp_directory_path() / name;
        REQUIRE(fs::create_directory(path));
    }
    OwnFolder(OwnFolder const&) = delete;
    OwnFolder& operator=(OwnFolder const&) = delete;
    ~OwnFolder() {
        std::error_code in_use;  // Windows keeps a library's file while it is loaded
        fs::remove_all(path, in_use);
    }

    fs::path path;
};

constexpr char const* plugin_path = MULTIPROCESSING_TEST_IMAGE_PLUGIN;

Fingerprint plugin_fingerprint() {
    ImagePlugin const plugin;
    return platform::fingerprint_of(*platform::module_of(plugin.function()));
}

}  // namespace

TEST_CASE("image: the program is the main module", "[image]") {
    platform::Module const& main = platform::main_module();
    CHECK(main.is_main);
    CHECK(fs::equivalent(main.path, platform::executable_path()));
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

TEST_CASE("image: what is loaded and unloaded is noticed", "[image]") {
    auto const fingerprint = plugin_fingerprint();
    REQUIRE(fingerprint != Fingerprint{});
    CHECK(platform::find_module(fingerprint) == nullptr);
    for (int round = 0; round < 3; ++round) {
        void* function = nullptr;
        {
            ImagePlugin const plugin;
            function = plugin.function();
            platform::Module const* const module = platform::module_of(function);
            REQUIRE(module != nullptr);
            CHECK_FALSE(module->is_main);
            CHECK(fs::equivalent(module->path, plugin_path));
            CHECK(module->in_code(at(function)));
            CHECK(module->in_data(at(plugin.address("image_plugin_number")), sizeof(int)));
            CHECK(platform::fingerprint_of(*module) == fingerprint);
            CHECK(platform::find_module(fingerprint) == module);
        }
        CHECK(platform::module_of(function) == nullptr);
        CHECK(platform::find_module(fingerprint) == nullptr);
    }
}

TEST_CASE("image: a library is opened by its path if it is the right build", "[image]") {
    auto const fingerprint = plugin_fingerprint();
    std::string why;
    CHECK(platform::open_module(plugin_path, Fingerprint{1}, why) == nullptr);
    CHECK(why == "that file is another build");
    CHECK(platform::open_module(plugin_path, Fingerprint{}, why) == nullptr);
    CHECK(platform::find_module(fingerprint) == nullptr);

    OwnFolder const folder;
    fs::path const copy = folder.path / "another name.dll";
    fs::copy_file(plugin_path, copy);
    platform::Module const* const module = platform::open_module(copy.string(), fingerprint, why);
    REQUIRE(module != nullptr);
    CHECK(fs::equivalent(module->path, copy));
    test::unload(copy.string().c_str());  // what open_module holds, for the other cases' sake
}

TEST_CASE("image: files that are no libraries are refused", "[image]") {
    OwnFolder const folder;
    auto const refused = [](fs::path const& path) {
        std::string why;
        bool const none = platform::open_module(path.string(), Fingerprint{1}, why) == nullptr;
        return none && why == "there is no such library";
    };
    CHECK(refused(folder.path / "missing.dll"));
    CHECK(refused(folder.path));
    CHECK(refused(""));

    fs::path const text = folder.path / "text.dll";
    std::ofstream(text) << "\x7f" "ELF or MZ is its beginning, and nothing else about it is right";
    CHECK(refused(text));

    fs::path const cut = folder.path / "cut.dll";
    fs::copy_file(plugin_path, cut);
    for (std::uintmax_t bytes : {std::uintmax_t{200}, std::uintmax_t{63}, std::uintmax_t{1}}) {
        fs::resize_file(cut, bytes);
        std::string why;
        CHECK(platform::open_module(cut.string(), plugin_fingerprint(), why) == nullptr);
    }
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
    for (int i = 0; i < 50; ++i) ImagePlugin const plugin;
    askers.clear();
    CHECK(platform::find_module(plugin_fingerprint()) == nullptr);
}
