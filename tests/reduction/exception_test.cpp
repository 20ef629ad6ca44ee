// SPDX-License-Identifier: MIT
// tests/reduction/exception_test.cpp — reduction/exception.hpp
#include <multiprocessing/reduction/exception.hpp>

#include "reduction/messages.hpp"
#include "support/catch.hpp"

#include <exception>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <variant>

using namespace test;
using mp::UnpicklingError;

namespace {

struct Derived : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Rejected : public std::exception {
public:
    explicit Rejected(int code) : code_(code) {}
    char const* what() const noexcept override { return "rejected"; }
    int code() const { return code_; }

private:
    int code_;
};

Bytes dumped(std::exception_ptr const& error) {
    return written([&](mp::Writer& out) { reduction::dump_exception(out, error); });
}

std::exception_ptr loaded(Bytes const& bytes, mp::Origin origin = mp::Origin::outside) {
    mp::Reader in(bytes, origin);
    auto error = reduction::load_exception(in);
    in.expect_end();
    return error;
}

/// The exception after its journey: exactly an E, else a failure.
template <class E>
E received(std::exception_ptr const& error, mp::Origin origin = mp::Origin::outside) {
    try {
        std::rethrow_exception(loaded(dumped(error), origin));
    } catch (E const& e) {
        CHECK(typeid(e) == typeid(E));
        return e;
    }
}

template <class E, class... A>
std::string text_of(A const&... arguments) {
    E const thrown(arguments...);
    auto const arrived = received<E>(std::make_exception_ptr(thrown));
    CHECK(std::string(arrived.what()) == thrown.what());
    return arrived.what();
}

}  // namespace

template <>
struct multiprocessing::pickle<Rejected> {
    static void dump(Writer& out, Rejected const& error) { out.write(error.code()); }
    static Rejected load(Reader& in) { return Rejected(in.read<int>()); }
};

TEMPLATE_TEST_CASE("exception: a standard one keeps its type and text", "[exception]",
                   std::runtime_error, std::logic_error, std::invalid_argument, std::out_of_range,
                   std::length_error, std::domain_error, std::range_error, std::overflow_error,
                   std::underflow_error) {
    CHECK(text_of<TestType>("what is said") == "what is said");
    CHECK(text_of<TestType>("").empty());
}

TEMPLATE_TEST_CASE("exception: one of the library keeps its type and text", "[exception]",
                   mp::Error, mp::ProcessError, mp::BufferTooShort, mp::TimeoutError,
                   mp::AuthenticationError, mp::Empty, mp::Full, mp::ShutDown,
                   mp::BrokenBarrierError, mp::EOFError, mp::ValueError, mp::TypeError,
                   mp::KeyError, mp::IndexError, mp::AttributeError, mp::PicklingError,
                   mp::UnpicklingError, mp::MemoryError, mp::AssertionError, mp::RuntimeError,
                   mp::NotImplementedError) {
    CHECK(text_of<TestType>("what is said") == "what is said");
}

TEMPLATE_TEST_CASE("exception: one without a text of its own keeps its type", "[exception]",
                   std::bad_alloc, std::bad_array_new_length, std::bad_cast, std::bad_typeid,
                   std::bad_exception, std::bad_function_call, std::bad_optional_access,
                   std::bad_variant_access, std::bad_weak_ptr) {
    text_of<TestType>();
}

TEST_CASE("exception: an error number arrives with its category", "[exception]") {
    std::error_code const system(ENOENT, std::system_category());
    std::error_code const generic(EPERM, std::generic_category());
    text_of<std::system_error>(system, "open");
    text_of<std::system_error>(system);
    text_of<std::system_error>(generic, "a: b");
    CHECK(received<std::system_error>(std::make_exception_ptr(std::system_error(system))).code() ==
          system);
    auto const os = received<mp::OSError>(
        std::make_exception_ptr(mp::OSError(generic, "cannot fork")));
    CHECK(os.code() == generic);
    CHECK(std::string(os.what()) == "cannot fork");
}

TEST_CASE("exception: a lost worker is described as it was", "[exception]") {
    auto const killed =
        received<mp::WorkerLostError>(std::make_exception_ptr(mp::WorkerLostError(12, -9)));
    CHECK(killed.pid() == 12);
    CHECK(killed.signal() == 9);
    CHECK_FALSE(killed.exit_code());
    auto const exited =
        received<mp::WorkerLostError>(std::make_exception_ptr(mp::WorkerLostError(12, 3)));
    CHECK(exited.exit_code() == 3);
    auto const unknown =
        received<mp::WorkerLostError>(std::make_exception_ptr(mp::WorkerLostError(12)));
    CHECK_FALSE(unknown.exit_code());
    CHECK_FALSE(unknown.signal());
}

TEST_CASE("exception: any other arrives as a RemoteError", "[exception]") {
    auto const derived = received<mp::RemoteError>(std::make_exception_ptr(Derived("mine")));
    CHECK(derived.type_name().find("Derived") != std::string::npos);
    CHECK(derived.text() == "mine");
    CHECK(derived.pid() == mp::platform::process_id());

    auto const number = received<mp::RemoteError>(std::make_exception_ptr(42));
    CHECK(number.type_name() == "int");
    CHECK(number.pid() == mp::platform::process_id());

    std::error_code const elsewhere = std::make_error_code(std::io_errc::stream);
    auto const stream =
        received<mp::RemoteError>(std::make_exception_ptr(std::system_error(elsewhere)));
    CHECK(stream.type_name() == "std::system_error");
}

TEST_CASE("exception: a RemoteError that travels on stays what it was", "[exception]") {
    auto const again =
        received<mp::RemoteError>(std::make_exception_ptr(mp::RemoteError("Type", "text", 77)));
    CHECK(again.type_name() == "Type");
    CHECK(again.text() == "text");
    CHECK(again.pid() == 77);
}

TEST_CASE("exception: a registered type arrives as itself, inside the tree", "[exception]") {
    auto const error = std::make_exception_ptr(Rejected(5));
    CHECK(received<mp::RemoteError>(error).text() == "rejected");
    CHECK(reduction::register_exception<Rejected>());
    CHECK(reduction::register_exception<Rejected>());
    CHECK(received<Rejected>(error, mp::Origin::tree).code() == 5);
    CHECK_THROWS_AS(loaded(dumped(error), mp::Origin::outside), UnpicklingError);
}

TEST_CASE("exception: throw_exception throws what was read", "[exception]") {
    auto const bytes = dumped(std::make_exception_ptr(std::out_of_range("far")));
    mp::Reader in(bytes, mp::Origin::outside);
    CHECK_THROWS_AS(reduction::throw_exception(in), std::out_of_range);
}

TEST_CASE("exception: hostile bytes are refused", "[exception]") {
    std::exception_ptr const kinds[] = {
        std::make_exception_ptr(std::runtime_error("text")),
        std::make_exception_ptr(mp::WorkerLostError(1, -9)),
        std::make_exception_ptr(mp::OSError(std::make_error_code(std::errc::io_error), "text")),
        std::make_exception_ptr(Derived("mine")),
    };
    for (auto const& kind : kinds) {
        auto const whole = dumped(kind);
        for (std::size_t n = 0; n < whole.size(); ++n)
            CHECK_THROWS_AS(loaded(Bytes(whole.begin(), whole.begin() + static_cast<long>(n))),
                            UnpicklingError);
    }
    CHECK_THROWS_AS(loaded(pickled(std::string("no such exception"))), UnpicklingError);
    CHECK_THROWS_AS(loaded(pickled(std::string())), UnpicklingError);
}
