// SPDX-License-Identifier: MIT
// tests/compile/class_without_pickle.cpp — a class with private members and no pickle<T>.
// reject: specialise multiprocessing::pickle<T> with dump and load (see pickle/traits.hpp)
#include <multiprocessing/pickle.hpp>

class Account {
public:
    explicit Account(int balance) : balance_(balance) {}
    int balance() const { return balance_; }

private:
    int balance_;
};

#ifdef ACCEPT
template <>
struct multiprocessing::pickle<Account> {
    static void dump(Writer& out, Account const& account) { out.write(account.balance()); }
    static Account load(Reader& in) { return Account(in.read<int>()); }
};
#endif

int main() { return multiprocessing::dumps(Account(1)).size() != 0 ? 0 : 1; }
