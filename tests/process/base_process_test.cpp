// SPDX-License-Identifier: MIT
// tests/process/base_process_test.cpp — classes that are processes: their run() runs in the child.
#include <multiprocessing/process/base_process.hpp>

#include <multiprocessing/context.hpp>

#include "support/capture.hpp"
#include "support/catch.hpp"
#include "support/in_use.hpp"
#include "support/start_methods.hpp"
#include "targets.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace mp = multiprocessing;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Answers each text in capital letters, until there is none.
class UpperCaser : public mp::BaseProcess<UpperCaser> {
public:
    using Texts = mp::Queue<std::optional<std::string>>;

    explicit UpperCaser(Texts requests, Texts answers, mp::ProcessOptions options = {})
        : BaseProcess(std::move(options)), requests_(requests), answers_(answers) {}

    void run() override {
        answers_.put(fmt::format("{} {} {}", name(), mp::current_process() == *this,
                                 mp::Process(test::nothing).name()));
        while (auto text = requests_.get()) {
            std::ranges::transform(*text, text->begin(), [](unsigned char c) {
                return static_cast<char>(std::toupper(c));
            });
            answers_.put(text);
        }
    }

    std::string submit(std::string text) {
        requests_.put(std::move(text));
        return answers_.get().value();
    }
    void stop() { requests_.put(std::nullopt); }

private:
    friend mp::pickle<UpperCaser>;
    Texts requests_, answers_;
};

struct Forked : mp::Process {
    explicit Forked(int number, mp::ProcessOptions options = {})
        : Process(std::move(options)), code(number) {}
    void run() override { throw mp::SystemExit(code); }
    int code;
};

struct Unpickleable : mp::BaseProcess<Unpickleable> {
    int* place = nullptr;
    void run() override {}
};

}  // namespace

template <>
struct mp::pickle<UpperCaser> {
    static void dump(Writer& out, UpperCaser const& process) {
        out.write(process.requests_);
        out.write(process.answers_);
    }
    static UpperCaser load(Reader& in) {
        auto requests = in.read<UpperCaser::Texts>();
        return UpperCaser(requests, in.read<UpperCaser::Texts>());
    }
};

TEST_CASE("BaseProcess: run() of a derived class runs in the child, with its members",
          "[process]") {
    // CPython: _TestSubclassingProcess.test_subclassing
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    auto answers = ctx.Queue<std::optional<std::string>>();
    UpperCaser upper(ctx.Queue<std::optional<std::string>>(), answers,
                     {.daemon = true, .start_method = ctx.start_method()});
    CHECK(upper.name().starts_with("UpperCaser-"));
    CHECK(upper.daemon());
    upper.start();
    auto const id = upper.name().substr(upper.name().find('-') + 1);
    CHECK(answers.get() == fmt::format("{} true Process-{}:1", upper.name(), id));
    CHECK(upper.submit("hello") == "HELLO");
    CHECK(upper.submit("world") == "WORLD");
    upper.stop();
    upper.join();
    CHECK(upper.exitcode() == 0);
    CHECK_THAT(fmt::format("{}", upper), ContainsSubstring("<UpperCaser name='UpperCaser-"));
    CHECK(test::no_process_left(before));
}

TEST_CASE("BaseProcess: run() called directly runs here", "[process]") {
    CHECK_THROWS_AS(Forked(3).run(), mp::SystemExit);
    int runs = 0;
    mp::Process p([&runs](std::string const& text) { runs += text.size() == 4 ? 1 : 100; }, "text");
    p.run();
    p.run();
    CHECK(runs == 2);
    mp::Process().run();
}

TEST_CASE("Process: without a target and run() it does nothing, and ends well", "[process]") {
    auto const ctx = test::each_context();
    CHECK(test::run(mp::Process({.start_method = ctx.start_method()})) == 0);
}

TEST_CASE("Process: a plain derived class can be forked, and says so otherwise", "[process]") {
    auto const ctx = test::each_context();
    auto const before = test::in_use();
    Forked p(4, {.start_method = ctx.start_method()});
    if (ctx.start_method() == mp::StartMethod::fork) {
        p.start();
        p.join();
        CHECK(p.exitcode() == 4);
        return;
    }
    CHECK_THAT(test::thrown([&] { p.start(); }),
               ContainsSubstring("Forked") && ContainsSubstring("BaseProcess<"));
    CHECK_THAT(p.repr(), ContainsSubstring(" initial>"));
    CHECK(test::no_process_left(before));
}

TEST_CASE("BaseProcess: a class without pickle is a PicklingError unless it is forked",
          "[process]") {
    auto const ctx = test::each_context();
    Unpickleable p;
    mp::set_start_method(ctx.get_start_method(), {.force = true});
    if (ctx.start_method() == mp::StartMethod::fork) {
        p.start();
        p.join();
        CHECK(p.exitcode() == 0);
    } else {
        CHECK_THAT(test::thrown([&] { p.start(); }),
                   ContainsSubstring("multiprocessing::pickle<") &&
                       ContainsSubstring("Unpickleable"));
    }
    mp::set_start_method(std::nullopt, {.force = true});
}
