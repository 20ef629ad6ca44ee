// SPDX-License-Identifier: MIT
// tests/context/context_test.cpp — start methods: chosen once, known in the child, mixed at will.
#include <multiprocessing/context.hpp>

#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace mp = multiprocessing;

namespace {

/// No method is fixed before and after the test.
struct Unfixed {
    Unfixed() { mp::set_start_method(std::nullopt, {.force = true}); }
    ~Unfixed() { mp::set_start_method(std::nullopt, {.force = true}); }
};

void tell_method(mp::Queue<std::string> q) {
    q.put(mp::get_start_method({.allow_none = true}).value_or("none"));
}

template <class E, class F>
std::string thrown(F f) {
    try {
        f();
    } catch (E const& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("get_context: names its method, which cannot be changed", "[context]") {
    // CPython: TestStartMethod.test_context
    auto const ctx = test::each_context();
    auto const name = ctx.get_start_method();
    CHECK(ctx.get_context() == ctx);
    CHECK(mp::get_context(name) == ctx);
    CHECK(ctx.get_context(name) == ctx);
    CHECK_THROWS_AS(ctx.set_start_method("spawn"), mp::ValueError);
    CHECK_THROWS_AS(ctx.set_start_method(std::nullopt), mp::ValueError);
    auto q = ctx.Queue<std::string>();
    auto p = ctx.Process(tell_method, q);
    p.start();
    CHECK(q.get() == name);
    p.join();
}

TEST_CASE("set_start_method: once, unless forced", "[context]") {
    // CPython: TestStartMethod.test_set_get
    Unfixed const unfixed;
    CHECK(mp::get_start_method({.allow_none = true}) == std::nullopt);
    auto const name = GENERATE(from_range(mp::get_all_start_methods()));
    mp::set_start_method(name);
    CHECK(mp::get_start_method() == name);
    CHECK(mp::get_start_method({.allow_none = true}) == name);
    CHECK(mp::get_context().get_start_method() == name);
    CHECK(thrown<mp::RuntimeError>([&] { mp::set_start_method(name); }) ==
          "context has already been set");
    mp::set_start_method("spawn", {.force = true});
    CHECK(mp::get_start_method() == "spawn");
    mp::Queue<std::string> q;
    mp::Process p(tell_method, q);
    CHECK(p.name().starts_with("Process-"));
    p.start();
    CHECK(q.get() == "spawn");
    p.join();
}

TEST_CASE("set_start_method: what is no method is a ValueError", "[context]") {
    Unfixed const unfixed;
    CHECK(thrown<mp::ValueError>([] { mp::set_start_method("forkserve"); }) ==
          "cannot find context for 'forkserve'");
    CHECK(thrown<mp::ValueError>([] { (void)mp::get_context(""); }) ==
          "cannot find context for ''");
    CHECK_THROWS_AS(mp::SpawnContext().get_context("xxx"), mp::ValueError);
    CHECK(mp::get_start_method({.allow_none = true}) == std::nullopt);
}

TEST_CASE("get_start_method: the first one who asks fixes the default", "[context]") {
    Unfixed const unfixed;
    CHECK(mp::get_start_method() == mp::get_all_start_methods().front());
    CHECK_THROWS_AS(mp::set_start_method("spawn"), mp::RuntimeError);
}

TEST_CASE("get_context: without a name it fixes the default, with one it does not", "[context]") {
    Unfixed const unfixed;
    CHECK(mp::get_context("spawn").get_start_method({.allow_none = true}) == "spawn");
    CHECK(mp::get_start_method({.allow_none = true}) == std::nullopt);
    auto const ctx = mp::get_context();
    CHECK(mp::get_start_method({.allow_none = true}) == ctx.get_start_method());
    CHECK(ctx.get_start_method() == mp::get_all_start_methods().front());
}

TEST_CASE("set_start_method: without a name the default is set, or, by force, none", "[context]") {
    Unfixed const unfixed;
    mp::set_start_method(std::nullopt);
    CHECK(mp::get_start_method({.allow_none = true}) == mp::get_all_start_methods().front());
    CHECK_THROWS_AS(mp::set_start_method(std::nullopt), mp::RuntimeError);
    mp::set_start_method(std::nullopt, {.force = true});
    CHECK(mp::get_start_method({.allow_none = true}) == std::nullopt);
}

TEST_CASE("start methods: neither freeze_support nor a context's child fixes the default",
          "[context]") {
    // CPython: TestStartMethod.test_spawn_dont_set_context, test_freeze_support_dont_set_context
    Unfixed const unfixed;
    mp::freeze_support();
    mp::Queue<int> const q;
    auto const ctx = test::each_context();
    auto p = ctx.Process([] {});
    p.start();
    p.join();
    CHECK(mp::get_start_method({.allow_none = true}) == std::nullopt);
}

TEST_CASE("get_all_start_methods: the default one first", "[context]") {
    // CPython: TestStartMethod.test_get_all, test_get_all_start_methods
    Unfixed const unfixed;
    auto names = mp::get_all_start_methods();
    CHECK(names.front() == mp::get_start_method());
    std::sort(names.begin(), names.end());
    CHECK(names == (mp::platform::has_fork
                        ? std::vector<std::string>{"fork", "forkserver", "spawn"}
                        : std::vector<std::string>{"spawn"}));
}

namespace {
void hand_on(mp::Queue<int> q, mp::Lock lock, int depth) {
    if (depth > 0) {
        for (auto const& name : mp::get_all_start_methods()) {
            auto p = mp::get_context(name).Process(hand_on, q, lock, depth - 1);
            p.start();
            p.join();
        }
    }
    lock.acquire();
    q.put(depth);
    lock.release();
}
}  // namespace

TEST_CASE("start methods: a received queue and lock go on to children of any method", "[context]") {
    // CPython: TestStartMethod.test_nested_startmethod
    auto const ctx = test::each_context();
    auto q = ctx.Queue<int>();
    auto const lock = ctx.Lock();
    auto p = ctx.Process(hand_on, q, lock, 1);
    p.start();
    p.join();
    CHECK(p.exitcode() == 0);
    for (auto const& name : mp::get_all_start_methods()) {
        INFO("grandchild by " << name);
        CHECK(q.get() == 0);
    }
    CHECK(q.get() == 1);
}

TEST_CASE("cpu_count: at least one, and no fewer than this process may use", "[context]") {
    // CPython: _TestProcess.test_cpu_count
    CHECK(mp::cpu_count() >= 1);
    CHECK(mp::process_cpu_count() >= 1);
    CHECK(mp::process_cpu_count() <= mp::cpu_count());
}

TEST_CASE("Context: makes what the namespace makes", "[context]") {
    auto const ctx = test::each_context();
    auto value = ctx.Value(0.5);
    auto array = ctx.Array({1, 2, 3});
    auto zeros = ctx.Array<int>(4);
    auto raw = ctx.RawValue(7);
    auto p = ctx.Process(
        [](mp::Value<double> v, mp::Array<int> a, mp::RawValue<int> r) {
            v.value() = 2.5;
            for (auto& x : a) x = -x;
            r.value() = 8;
        },
        value, array, raw);
    p.start();
    p.join();
    CHECK(value.value() == 2.5);
    CHECK(std::vector<int>(array.begin(), array.end()) == std::vector<int>{-1, -2, -3});
    CHECK(zeros.size() == 4);
    CHECK(raw.value() == 8);
    CHECK(ctx.current_process() == mp::current_process());
    CHECK(ctx.RLock() != ctx.RLock());
    CHECK(ctx.get_all_start_methods() == mp::get_all_start_methods());
    CHECK(ctx.cpu_count() == mp::cpu_count());
    CHECK_FALSE(ctx.parent_process());
    CHECK(&ctx.get_logger() == &mp::get_logger());
    ctx.freeze_support();
    static_assert(std::is_same_v<mp::Context::TimeoutError, mp::TimeoutError>);
    CHECK(mp::SpawnContext() == mp::get_context("spawn"));
}

TEST_CASE("Context: its pool maps under each start method", "[context]") {
    // CPython: MultiProcessingCmdLineMixin.test_basic_script
    auto const ctx = test::each_context();
    auto pool = ctx.Pool(2);
    CHECK(pool.map([](int x) { return x * x; }, {1, 2, 3}) == std::vector{1, 4, 9});
}

namespace {
mp::Queue<int> made_before_main;  // in each process that runs the program, one of its own
void use_both(mp::Queue<int> parents) {
    made_before_main.put(1);
    parents.put(made_before_main.get());
}
}  // namespace

TEST_CASE("Context: shared objects at namespace scope cost nothing in a child", "[context]") {
    // CPython: TestNamedResource.test_global_named_resource_spawn
    auto const ctx = test::each_context();
    auto q = ctx.Queue<int>();
    auto const use = [&] {
        auto p = ctx.Process(use_both, q);
        p.start();
        p.join();
        CHECK(p.exitcode() == 0);
        CHECK(q.get() == 1);
        CHECK(made_before_main.empty());
    };
    use();
    auto const before = test::in_use();
    for (int i = 0; i < 3; ++i) use();
    CHECK(test::nothing_left(before));
}

namespace {
void add_one(std::vector<mp::Queue<int>> queues, mp::Lock lock) {
    for (auto& q : queues) {
        std::scoped_lock const guard(lock);
        q.put(q.get() + 1);
    }
}
}  // namespace

TEST_CASE("start methods: what one context has made goes to a process of any other",
          "[context]") {
    // CPython: TestStartMethod.test_mixed_startmethod
    auto const ctx = test::each_context();
    std::vector<mp::Queue<int>> queues;
    for (auto const& name : mp::get_all_start_methods())
        queues.push_back(mp::get_context(name).Queue<int>());
    for (auto& q : queues) q.put(0);
    for (auto const& name : mp::get_all_start_methods()) {
        auto p = ctx.Process(add_one, queues, mp::get_context(name).Lock());
        p.start();
        p.join();
        CHECK(p.exitcode() == 0);
    }
    for (auto& q : queues) CHECK(q.get() == static_cast<int>(queues.size()));
}
