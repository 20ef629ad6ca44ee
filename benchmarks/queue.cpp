// SPDX-License-Identifier: MIT
// benchmarks/queue.cpp — 64-byte messages a second through queues and pipes, beside rings that no
// kill may hit, Boost's message_queue and CPython. `bench_queue [rounds] [messages]`
#include <multiprocessing.hpp>

#include "support/pairs.hpp"
#include "support/rings.hpp"

#include <boost/interprocess/ipc/message_queue.hpp>

#include <ranges>

namespace mp = multiprocessing;
namespace ipc = boost::interprocess;
using namespace bench;

namespace {

std::uint64_t messages = 600'000;

Message message_of(std::uint64_t number) {
    Message m;
    for (std::uint64_t i = 0; i < m.size(); ++i) m[i] = number + i;
    return m;
}
std::uint64_t number_of(Message const& m) {
    for (std::uint64_t i = 1; i < m.size(); ++i) require(m[i] == m[0] + i, "a torn message");
    return m[0];
}

/// Millions of messages a second from `n` putters to `n` getters; each message is checked, and
/// that all came.
template <class Put, class Get>
double throughput(unsigned n, Put put, Get get) {
    auto const each = messages / n;
    mp::RawArray<mp::heap::Word> const sums(1);
    std::vector<Role> roles;
    for (unsigned i = 0; i < n; ++i) {
        roles.push_back({static_cast<int>(i % 2), [&, i] {
                             for (std::uint64_t k = 0; k < each;) k += put(i * each + k, each - k);
                         }});
        roles.push_back({static_cast<int>((i + 1) % 2), [&] {
                             std::uint64_t sum = 0;
                             for (std::uint64_t k = 0; k < each;) k += get(sum, each - k);
                             sums[0].fetch_add(sum);
                         }});
    }
    auto const ns = run(roles);
    auto const all = each * n;
    require(sums[0].load() == all * (all - 1) / 2, "messages were lost or doubled");
    return static_cast<double>(all) * 1e3 / static_cast<double>(ns);
}

/// Of something with put and get of one message.
template <class Ring>
double one_by_one(unsigned n, Ring& ring) {
    return throughput(
        n,
        [&](std::uint64_t number, std::uint64_t) {
            ring.put(message_of(number));
            return 1u;
        },
        [&](std::uint64_t& sum, std::uint64_t) {
            sum += number_of(ring.get());
            return 1u;
        });
}

double queue(unsigned n, long maxsize) {
    mp::Queue<Message> q(maxsize);
    return one_by_one(n, q);
}

double queue_many(unsigned n) {
    mp::Queue<Message> q(1024);
    return throughput(
        n,
        [&](std::uint64_t number, std::uint64_t left) {
            auto const some = std::min<std::uint64_t>(left, 32);
            q.put_many(std::views::iota(number, number + some) |
                       std::views::transform(message_of));
            return some;
        },
        [&](std::uint64_t& sum, std::uint64_t left) {
            auto const got = q.get_many(std::min<std::uint64_t>(left, 32));
            for (auto const& m : got) sum += number_of(m);
            return static_cast<std::uint64_t>(got.size());
        });
}

double pipe() {
    auto [a, b] = mp::Pipe<Message>(false);
    return throughput(
        1,
        [&, &out = b](std::uint64_t number, std::uint64_t) {
            out.send(message_of(number));
            return 1u;
        },
        [&, &in = a](std::uint64_t& sum, std::uint64_t) {
            sum += number_of(in.recv());
            return 1u;
        });
}

template <class Ring>
double ring(unsigned n) {
    static auto& shared = shared_object<Ring>();
    return one_by_one(n, *new (&shared) Ring);
}

double boost_queue(unsigned n) {
    auto const name = fmt::format("mp_bench_{}", ::getpid());
    ipc::message_queue q(ipc::create_only, name.c_str(), 1024, sizeof(Message));
    ipc::message_queue::remove(name.c_str());
    auto const all = std::exchange(messages, messages / 4);
    auto const result = throughput(
        n,
        [&](std::uint64_t number, std::uint64_t) {
            auto const m = message_of(number);
            q.send(&m, sizeof m, 0);
            return 1u;
        },
        [&](std::uint64_t& sum, std::uint64_t) {
            Message m;
            std::size_t size;
            unsigned priority;
            q.receive(&m, sizeof m, size, priority);
            sum += number_of(m);
            return 1u;
        });
    messages = all;
    return result;
}

/// `make`: an expression for (put, get).
double cpython(unsigned n, std::string const& make) {
    return python(fmt::format(R"(
import multiprocessing as mp, time, os
ctx = mp.get_context("fork")
N, each, m = {0}, {1}, b"x" * 64
put, get = {2}
ready, go = ctx.Semaphore(0), ctx.Event()
def role(cpu, work):
    os.sched_setaffinity(0, [cpu])
    ready.release()
    go.wait()
    for _ in range(each): work()
ps = []
for i in range(N):
    ps.append(ctx.Process(target=role, args=(i % 2, lambda: put(m))))
    ps.append(ctx.Process(target=role, args=((i + 1) % 2, get)))
for p in ps: p.start()
for p in ps: ready.acquire()
t = time.perf_counter()
go.set()
for p in ps: p.join()
print(N * each / (time.perf_counter() - t) / 1e6)
)",
                              n, 24000 / n, make));
}
double cpython_queue(unsigned n) {
    return cpython(n, "(lambda q: (q.put, q.get))(ctx.Queue())");
}
double cpython_pipe() {
    return cpython(1, "(lambda p: (p[1].send, p[0].recv))(ctx.Pipe(False))");
}

}  // namespace

int main(int argc, char** argv) {
    mp::freeze_support();
    auto const rounds = argc > 1 ? std::atoi(argv[1]) : 9;
    if (argc > 2) messages = std::strtoull(argv[2], nullptr, 10) / 128 * 128;
    compare("Queue, 1 putter, 1 getter", "M/s", rounds,
            {{"Queue, at most 1024", [] { return queue(1, 1024); }},
             {"Queue, no bound", [] { return queue(1, 0); }},
             {"MPMC ring that sleeps (limit)", [] { return ring<MpmcRing>(1); }},
             {"SPSC ring that spins (stretch)", [] { return ring<SpscRing<1>>(1); }},
             {"boost message_queue", [] { return boost_queue(1); }},
             {"CPython Queue", [] { return cpython_queue(1); }}});
    compare("Queue.put_many and get_many, 32 each", "M/s", rounds,
            {{"Queue, at most 1024", [] { return queue_many(1); }},
             {"SPSC ring, published per 32 (limit)", [] { return ring<SpscRing<32>>(1); }},
             {"boost message_queue, one by one", [] { return boost_queue(1); }},
             {"CPython Queue, one by one", [] { return cpython_queue(1); }}});
    compare("Queue, 2 putters, 2 getters", "M/s", rounds,
            {{"Queue, at most 1024", [] { return queue(2, 1024); }},
             {"MPMC ring that sleeps (limit)", [] { return ring<MpmcRing>(2); }},
             {"boost message_queue", [] { return boost_queue(2); }},
             {"CPython Queue", [] { return cpython_queue(2); }}});
    compare("Queue, 4 putters, 4 getters", "M/s", rounds,
            {{"Queue, at most 1024", [] { return queue(4, 1024); }},
             {"the same, 1 putter, 1 getter", [] { return queue(1, 1024); }},
             {"MPMC ring that sleeps (limit)", [] { return ring<MpmcRing>(4); }},
             {"boost message_queue", [] { return boost_queue(4); }},
             {"CPython Queue", [] { return cpython_queue(4); }}});
    compare("Pipe, 1 sender, 1 receiver", "M/s", rounds,
            {{"Pipe", [] { return pipe(); }},
             {"SPSC ring that spins (limit)", [] { return ring<SpscRing<1>>(1); }},
             {"CPython Pipe", [] { return cpython_pipe(); }}});
}
