// SPDX-License-Identifier: MIT
// tests/pickle/concepts_test.cpp — what can be pickled and what cannot, at compile time.
#include <multiprocessing/pickle.hpp>

#include "pickle/samples.hpp"
#include "support/catch.hpp"

#include <any>
#include <atomic>
#include <exception>
#include <functional>
#include <mutex>
#include <queue>
#include <span>
#include <string_view>
#include <thread>

namespace mp = multiprocessing;
using mp::detail::Fault;

namespace {

template <class T>
constexpr Fault fault = mp::detail::FaultOf<T>::fault;

struct HoldsPointer {
    int a;
    int* b;
};
struct HoldsPointerDeep {
    std::vector<std::map<int, std::optional<HoldsPointer>>> deep;
};
struct HoldsPointers {
    char name[8];
    char* rows[4];
};
struct HoldsReference {
    int a;
    int& b;
};
struct HoldsConstReference {
    int const& b;
    std::string s;
};
struct HoldsView {
    std::string_view text;
};
struct HoldsSpan {
    int a;
    std::span<int> numbers[2];
};
struct HoldsFunction {
    void (*call)();
};
struct Base {
    int* hidden;
};
struct Derived : Base {
    int b;
};
struct Plain {
    int a;
};
struct DerivedPlain : Plain {
    int b;
};
union Either {
    int a;
    float b;
};
struct HoldsUnion {
    Either e;
};
class Closed {
public:
    explicit Closed(int a) : a_(a) {}
    int a() const { return a_; }

private:
    int a_;
};
struct DerivedVector : std::vector<int> {
    using std::vector<int>::vector;
    int extra = 0;
};
struct Polymorphic {
    virtual ~Polymorphic() = default;
};
struct Abstract {
    virtual ~Abstract() = default;
    virtual void act() = 0;
};
struct Leaf final {
    virtual ~Leaf() = default;
    static auto pickle_members(auto&) { return std::tie(); }
};
class NeedsArgument {
public:
    explicit NeedsArgument(int a) : a_(a) {}
    static auto pickle_members(auto& self) { return std::tie(self.a_); }

private:
    int a_;
};
struct Mutual;
struct Other {
    std::vector<Mutual> back;
    int* pointer;
};
struct Mutual {
    std::unique_ptr<Other> other;
};
struct Halfway {};  // has a pickle with dump alone
struct HoldsRvalue {
    int a;
    std::string&& s;
};
int global = 0;
struct DefaultReference {  // like two values in everything but assignment
    int a;
    int const& b = global;
};
struct ConstantPointer {
    int const a;
    int* const b;
};
struct DerivedReference : Plain {
    int& b;
};
struct DerivedEmpty : samples::Empty {
    int a;
};
struct SixtyFour {
    char a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3,
        c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3, e4, e5, e6,
        e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3, g4;
};
struct SixtyFive {
    char a1, a2, a3, a4, a5, a6, a7, a8, a9, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, c0, c1, c2, c3,
        c4, c5, c6, c7, c8, c9, d0, d1, d2, d3, d4, d5, d6, d7, d8, d9, e0, e1, e2, e3, e4, e5, e6,
        e7, e8, e9, f0, f1, f2, f3, f4, f5, f6, f7, f8, f9, g0, g1, g2, g3, g4;
    int* pointer;
};

}  // namespace

template <>
struct multiprocessing::pickle<Halfway> {
    static void dump(Writer&, Halfway const&) {}
};

namespace {

auto const captures = [value = 1] { return value; };

static_assert(mp::Picklable<int> && mp::Picklable<int const> && mp::Picklable<std::string>);
static_assert(mp::Picklable<samples::Tree> && mp::Picklable<samples::Chain>);
static_assert(mp::Picklable<std::vector<samples::Record>> && mp::Picklable<SixtyFour>);
static_assert(mp::Picklable<std::shared_ptr<Leaf>>);
#if defined(__SIZEOF_INT128__)
static_assert(mp::Picklable<mp::detail::Int128>);
#endif

static_assert(!mp::Picklable<int*> && !mp::Picklable<void*> && !mp::Picklable<std::nullptr_t>);
static_assert(!mp::Picklable<int&> && !mp::Picklable<int const&> && !mp::Picklable<int&&>);
static_assert(!mp::Picklable<void>);
static_assert(!mp::Picklable<std::exception_ptr> && !mp::Picklable<std::any>);
static_assert(!mp::Picklable<std::mutex> && !mp::Picklable<std::atomic<int>>);
static_assert(!mp::Picklable<std::thread> && !mp::Picklable<std::queue<int>>);
static_assert(!mp::Picklable<Abstract> && !mp::Picklable<std::unique_ptr<Abstract>>);
static_assert(!mp::Picklable<int[]> && !mp::Picklable<void()> && !mp::Picklable<void (*)()>);
static_assert(!mp::Picklable<Halfway> && !mp::Picklable<std::weak_ptr<int>>);
static_assert(!mp::Picklable<std::pair<int, char const*>>);
static_assert(!mp::Picklable<std::tuple<int&>> && !mp::Picklable<std::vector<int*>>);
static_assert(!mp::Picklable<std::variant<int, std::string_view>>);

static_assert(fault<int*> == Fault::raw_pointer);
static_assert(fault<HoldsPointer> == Fault::raw_pointer);
static_assert(fault<HoldsPointerDeep> == Fault::raw_pointer);
static_assert(fault<HoldsPointers> == Fault::raw_pointer);
static_assert(fault<Mutual> == Fault::raw_pointer);
static_assert(fault<HoldsReference> == Fault::reference);
static_assert(fault<HoldsConstReference> == Fault::reference);
static_assert(fault<HoldsRvalue> == Fault::reference);
static_assert(fault<DefaultReference> == Fault::reference);
static_assert(fault<ConstantPointer> == Fault::raw_pointer);
static_assert(fault<std::reference_wrapper<int>> == Fault::reference);
static_assert(fault<HoldsView> == Fault::view);
static_assert(fault<HoldsSpan> == Fault::view);
static_assert(fault<std::u8string_view> == Fault::view);
static_assert(fault<std::initializer_list<int>> == Fault::view);
static_assert(fault<std::remove_const_t<decltype(captures)>> == Fault::capturing_lambda);
static_assert(fault<std::function<void()>> == Fault::hiding_function);
static_assert(fault<HoldsFunction> == Fault::function);
static_assert(fault<std::shared_ptr<Polymorphic>> == Fault::polymorphic_pointee);
static_assert(fault<std::unique_ptr<Polymorphic>> == Fault::polymorphic_pointee);
static_assert(fault<std::unique_ptr<int[]>> == Fault::unbounded_array);
static_assert(fault<std::shared_ptr<void>> == Fault::plain_class);
static_assert(fault<HoldsUnion> == Fault::union_type);
static_assert(fault<Derived> == Fault::base_class);
static_assert(fault<DerivedPlain> == Fault::base_class);
static_assert(fault<DerivedReference> == Fault::base_class);
static_assert(fault<DerivedEmpty> == Fault::base_class);
static_assert(fault<SixtyFive> == Fault::many_members);
static_assert(fault<Closed> == Fault::plain_class);
static_assert(fault<DerivedVector> == Fault::plain_class ||
              fault<DerivedVector> == Fault::base_class);
static_assert(fault<NeedsArgument> == Fault::no_default_constructor);
static_assert(std::is_same_v<mp::detail::FaultOf<HoldsPointerDeep>::type, int*>);

static_assert(mp::BytewisePicklable<int> && mp::BytewisePicklable<samples::Point>);
static_assert(mp::BytewisePicklable<samples::Packet> && mp::BytewisePicklable<std::complex<float>>);
static_assert(mp::BytewisePicklable<std::chrono::seconds>);
static_assert(mp::BytewisePicklable<SixtyFour>);
static_assert(mp::BytewisePicklable<samples::Degrees>);
static_assert(!mp::BytewisePicklable<samples::Record> && !mp::BytewisePicklable<HoldsPointer>);
static_assert(!mp::BytewisePicklable<std::pair<int, int>> && !mp::BytewisePicklable<int*>);

}  // namespace

TEST_CASE("Picklable: decided at compile time", "[pickle]") { CHECK(captures() == 1); }
