// SPDX-License-Identifier: MIT
// multiprocessing/pickle/field_types.hpp — the types of an aggregate's members, as declared.
// Layer 3 (pickling). Mirrors no Python file.
#pragma once

#include <multiprocessing/pickle/field_count.hpp>
#include <multiprocessing/pickle/types.hpp>

#include <cstddef>
#include <utility>

namespace multiprocessing::detail {

// Never run. The name of a binding has the declared type: unlike an expression it tells a
// reference.
template <std::size_t N, class T>
auto list_field_types([[maybe_unused]] T& x) {
    if constexpr (N == 0) {
        return Types<>{};
    } else if constexpr (N == 1) {
        auto& [a] = x;
        return Types<decltype(a)>{};
    } else if constexpr (N == 2) {
        auto& [a, b] = x;
        return Types<decltype(a), decltype(b)>{};
    } else if constexpr (N == 3) {
        auto& [a, b, c] = x;
        return Types<decltype(a), decltype(b), decltype(c)>{};
    } else if constexpr (N == 4) {
        auto& [a, b, c, d] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d)>{};
    } else if constexpr (N == 5) {
        auto& [a, b, c, d, e] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e)>{};
    } else if constexpr (N == 6) {
        auto& [a, b, c, d, e, g] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e),
                     decltype(g)>{};
    } else if constexpr (N == 7) {
        auto& [a, b, c, d, e, g, h] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h)>{};
    } else if constexpr (N == 8) {
        auto& [a, b, c, d, e, g, h, i] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i)>{};
    } else if constexpr (N == 9) {
        auto& [a, b, c, d, e, g, h, i, j] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j)>{};
    } else if constexpr (N == 10) {
        auto& [a, b, c, d, e, g, h, i, j, k] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k)>{};
    } else if constexpr (N == 11) {
        auto& [a, b, c, d, e, g, h, i, j, k, l] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l)>{};
    } else if constexpr (N == 12) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l),
                     decltype(m)>{};
    } else if constexpr (N == 13) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n)>{};
    } else if constexpr (N == 14) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o)>{};
    } else if constexpr (N == 15) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p)>{};
    } else if constexpr (N == 16) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q)>{};
    } else if constexpr (N == 17) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r)>{};
    } else if constexpr (N == 18) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r),
                     decltype(s)>{};
    } else if constexpr (N == 19) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t)>{};
    } else if constexpr (N == 20) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u)>{};
    } else if constexpr (N == 21) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v)>{};
    } else if constexpr (N == 22) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w)>{};
    } else if constexpr (N == 23) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y)>{};
    } else if constexpr (N == 24) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y),
                     decltype(z)>{};
    } else if constexpr (N == 25) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A)>{};
    } else if constexpr (N == 26) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B)>{};
    } else if constexpr (N == 27) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C)>{};
    } else if constexpr (N == 28) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D] =
            x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D)>{};
    } else if constexpr (N == 29) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E)>{};
    } else if constexpr (N == 30) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E),
                     decltype(G)>{};
    } else if constexpr (N == 31) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G, H] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E), decltype(G),
                     decltype(H)>{};
    } else if constexpr (N == 32) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G, H, I] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E), decltype(G),
                     decltype(H), decltype(I)>{};
    } else if constexpr (N == 33) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G, H, I, J] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E), decltype(G),
                     decltype(H), decltype(I), decltype(J)>{};
    } else if constexpr (N == 34) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G, H, I, J, K] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E), decltype(G),
                     decltype(H), decltype(I), decltype(J), decltype(K)>{};
    } else if constexpr (N == 35) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G, H, I, J, K, L] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E), decltype(G),
                     decltype(H), decltype(I), decltype(J), decltype(K), decltype(L)>{};
    } else if constexpr (N == 36) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G, H, I, J, K, L, M] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E), decltype(G),
                     decltype(H), decltype(I), decltype(J), decltype(K), decltype(L),
                     decltype(M)>{};
    } else if constexpr (N == 37) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G, H, I, J, K, L, M, O] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E), decltype(G),
                     decltype(H), decltype(I), decltype(J), decltype(K), decltype(L), decltype(M),
                     decltype(O)>{};
    } else if constexpr (N == 38) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G, H, I, J, K, L, M, O, P] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E), decltype(G),
                     decltype(H), decltype(I), decltype(J), decltype(K), decltype(L), decltype(M),
                     decltype(O), decltype(P)>{};
    } else if constexpr (N == 39) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G, H, I, J, K, L, M, O, P, Q] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E), decltype(G),
                     decltype(H), decltype(I), decltype(J), decltype(K), decltype(L), decltype(M),
                     decltype(O), decltype(P), decltype(Q)>{};
    } else if constexpr (N == 40) {
        auto& [a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y, z, A, B, C, D,
               E, G, H, I, J, K, L, M, O, P, Q, R] = x;
        return Types<decltype(a), decltype(b), decltype(c), decltype(d), decltype(e), decltype(g),
                     decltype(h), decltype(i), decltype(j), decltype(k), decltype(l), decltype(m),
                     decltype(n), decltype(o), decltype(p), decltype(q), decltype(r), decltype(s),
                     decltype(t), decltype(u), decltype(v), decltype(w), decltype(y), decltype(z),
                     decltype(A), decltype(B), decltype(C), decltype(D), decltype(E), decltype(G),
                     decltype(H), decltype(I), decltype(J), decltype(K), decltype(L), decltype(M),
                     decltype(O), decltype(P), decltype(Q), decltype(R)>{};
    }
}

/// The types of the members of T, whose number is known.
template <class T>
using FieldTypes =
    decltype(list_field_types<static_cast<std::size_t>(field_count<T>)>(std::declval<T&>()));

}  // namespace multiprocessing::detail
